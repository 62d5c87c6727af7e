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

/** A message shows that an execution still runs whose end was not announced, or that results come after all. */
function reopen({ sql }: Pick<Transaction, 'sql'>, executionId: string): void {
  sql(
    `UPDATE workflow_executions AS e SET status = 'running', status_reason = NULL, end_time = NULL
     WHERE execution_id = ? AND (status = 'unknown' OR (status = 'completed'
       AND EXISTS (SELECT 1 FROM run_states AS s WHERE s.execution_id = e.execution_id AND slices_queued > 0)
       AND EXISTS (SELECT 1 FROM observed_runs AS o WHERE o.execution_id = e.execution_id AND coalesce(told_status, 'running') = 'running')))`,
  ).run(executionId);
}

function noteExtent({ sql }: Transaction, executionId: string, { first, last, dialects }: Extent): void {
  const row = sql<[string], { first_ms: number; last_ms: number; dialects: string; told_status: string | null }>(
    'SELECT first_ms, last_ms, dialects, told_status FROM observed_runs WHERE execution_id = ?',
  ).get(executionId);
  if (row === undefined) return;
  reopen({ sql }, executionId);
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
