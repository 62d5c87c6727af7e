import { toleratedSeconds } from '../../monitoring/findings/store.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * How far the clock of an execution's first driver was behind that of the process that wrote the preceding row. Rows are recorded in the order of
 * their making, so a start dated before an earlier row shows that a clock is off. (Heard rows do not count: they may come from old recordings.)
 * Seconds; 0 if there is no such row.
 */
export function clockBehind(sql: Prepare, executionId: string): number {
  const behind = sql<[string], number | null>(
    `SELECT (before.recorded_ms - first.recorded_ms) / 1000.0
     FROM (SELECT seq, recorded_ms FROM message_rows WHERE execution_no = ${numberOf('?')} ORDER BY seq LIMIT 1) AS first
       JOIN message_rows AS before ON before.seq = first.seq - 1 AND before.headers IS NULL
       AND ${indexPredicates.exceptLogbook}`,
  ).value(executionId);
  return typeof behind === 'number' && behind > toleratedSeconds ? Math.round(behind) : 0;
}

/** How many executions to check for a clock that was off. */
const newest = 200;

/** Own executions, among the newest, whose start lies before that of an execution recorded earlier, and by how many seconds. */
export function misdatedExecutions(sql: Prepare): { execution_id: string; behind: number }[] {
  const rows = sql<[], { execution_id: string; start: number }>(
    `SELECT execution_id, unixepoch(start_time, 'subsec') AS start FROM workflow_executions WHERE origin = 'own' ORDER BY seq DESC LIMIT ${newest}`,
  )
    .all()
    .toReversed();
  let latest = -Infinity;
  return rows.flatMap(({ execution_id, start }) => {
    const behind = latest - start;
    latest = Math.max(latest, start);
    return behind > toleratedSeconds ? [{ execution_id, behind: Math.round(behind) }] : [];
  });
}
