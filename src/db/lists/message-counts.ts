import { nameOf, numberOf } from '../migrations/names.ts';
import { lastNoted } from '../notes/row-blocks.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * Number of messages by type, whether or not they had an effect, in an execution or in the whole store: the
 * stored counts for whole blocks of the log, plus the rows after these blocks.
 */
export function countMessages(sql: Prepare, executionId?: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const noted = lastNoted(sql, 'message_rows');
  // Find the few new rows by their sequence number: with the index on types, SQLite would read all rows.
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

/** Number of messages of all types in an execution, read only from the index. */
export function countAllMessages(sql: Prepare, executionId: string) {
  const count = sql<number>(
    `SELECT (SELECT coalesce(sum(n), 0) FROM message_counts WHERE execution_id = ?) + (
       SELECT count(*) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')} AND seq > ?)`,
  );
  return count.value(executionId, executionId, lastNoted(sql, 'message_rows')) ?? 0;
}
