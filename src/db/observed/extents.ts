import { onceFor } from '../../lib/once-for.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The times and dialects of an execution's messages so far. Milliseconds since 1970. */
interface Extent {
  first: number;
  last: number;
  dialects: Set<string>;
}

const extentsOf: (tx: Transaction) => Map<string, Extent> = onceFor(() => new Map());

/** Collects the times of messages, to be written once per transaction. */
export function extend(tx: Transaction, executionId: string, at: number, dialect: string | undefined): void {
  const known = extentsOf(tx);
  if (known.size === 0)
    tx.beforeReading(() => {
      for (const [id, extent] of known) noteExtent(tx, id, extent);
      known.clear();
    });
  const extent = known.get(executionId) ?? { first: at, last: at, dialects: new Set<string>() };
  extent.first = Math.min(extent.first, at);
  extent.last = Math.max(extent.last, at);
  if (dialect !== undefined) extent.dialects.add(dialect);
  known.set(executionId, extent);
}

function noteExtent({ sql }: Transaction, executionId: string, { first, last, dialects }: Extent): void {
  const row = sql<[string], { first_ms: number; last_ms: number; dialects: string; told_status: string | null }>(
    'SELECT first_ms, last_ms, dialects, told_status FROM observed_runs WHERE execution_id = ?',
  ).get(executionId);
  if (row === undefined) return;
  const all = [...new Set([...row.dialects.split(''), ...dialects])].toSorted().join('');
  const [first_ms, last_ms] = [Math.min(first, row.first_ms), Math.max(last, row.last_ms)];
  if (first_ms === row.first_ms && last_ms === row.last_ms && all === row.dialects) return;
  const update = sql('UPDATE observed_runs SET first_ms = ?, last_ms = ?, dialects = ? WHERE execution_id = ?');
  update.run(first_ms, last_ms, all, executionId);
  const [start, end] = [new Date(first_ms).toISOString(), new Date(last_ms).toISOString()];
  sql(
    `UPDATE workflow_executions SET start_time = $start, end_time = iif(end_time IS NULL OR $isTold, end_time, max(end_time, $end))
     WHERE execution_id = $executionId`,
  ).run({ start, end, executionId, isTold: row.told_status === null ? 0 : 1 });
}
