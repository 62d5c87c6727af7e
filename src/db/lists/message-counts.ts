import { nameOf, numberOf } from '../migrations/names.ts';
import { lastNoted } from '../notes/row-blocks.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * The messages of an execution, or of all, by type, with or without effect: stored counts of whole blocks of
 * the log, plus the rows after them.
 */
export function countMessages(sql: Prepare, executionId?: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const noted = lastNoted(sql, 'message_rows');
  // Count the few new rows by their sequence. Using the index of their types would mean walking all of them.
  const since = `SELECT ${nameOf('type_no')} AS message_type, count(*) AS n FROM message_rows`;
  const rows =
    executionId === undefined
      ? sql<{ message_type: string; n: number }>(
          `SELECT message_type, n FROM message_totals UNION ALL ${since} WHERE seq > ? GROUP BY type_no`,
        ).all(noted)
      : sql<{ message_type: string; n: number }>(
          `SELECT message_type, n FROM message_counts WHERE execution_id = ?
           UNION ALL ${since} INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')} AND seq > ? GROUP BY type_no`,
        ).all(executionId, executionId, noted);
  for (const { message_type, n } of rows) counts.set(message_type, (counts.get(message_type) ?? 0) + n);
  return counts;
}

/** The number of messages of an execution, of any type, from the index alone. */
export function countAllMessages(sql: Prepare, executionId: string): number {
  const count = sql<number>(
    `SELECT (SELECT coalesce(sum(n), 0) FROM message_counts WHERE execution_id = ?) + (
       SELECT count(*) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')} AND seq > ?)`,
  );
  return count.value(executionId, executionId, lastNoted(sql, 'message_rows')) ?? 0;
}
