import { isoTime } from '../migrations/message-columns.ts';
import type { Moment } from '../presence/leases.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { heardTimeOf } from './hearings.ts';

/** A run that reported its end is complete after this long without messages. Milliseconds. */
const quietMilliseconds = 60_000;

/**
 * Marks observed executions as completed if their end was reported and every slice has a result, once a minute has been heard since, or if no
 * observer listens. Later messages still count.
 */
export function settleObserved(tx: Transaction, moment: Moment): void {
  const { sql } = tx;
  tx.settle();
  const open = sql<[], { execution_id: string; namespace: string; first: number; last: number }>(
    `SELECT e.execution_id, e.namespace, first_ms AS first, last_ms AS last
     FROM workflow_executions AS e INDEXED BY workflow_executions_status JOIN run_states USING (execution_id) JOIN observed_runs USING (execution_id)
     WHERE status = 'running' AND origin = 'observed' AND phase = 'completed' AND slices_queued = 0 AND told_status IS NULL`,
  ).all();
  for (const execution of open) {
    const { until, isListening } = heardTimeOf(sql, execution, moment);
    if (isListening && until - execution.last < quietMilliseconds) continue;
    sql(
      `UPDATE workflow_executions SET status = 'completed', status_reason = 'completed', end_time = ${isoTime('?')} WHERE execution_id = ?`,
    ).run(execution.last, execution.execution_id);
  }
}
