import { isoTime } from '../migrations/message-columns.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { heardTimeOf } from './hearings.ts';

/** A run whose end was said is complete when nothing more has come for so long, in milliseconds. */
const quietMilliseconds = 60_000;

/**
 * Calls observed executions completed whose end was said and whose every slice has a result, when a minute has been heard since, or nobody listens any more.
 * Messages that come later still count.
 */
export function settleObserved(tx: Transaction, moment: { isAlive: LivenessTest; now: number }): void {
  tx.settle();
  const open = tx
    .sql<[], { execution_id: string; namespace: string; first: number; last: number }>(
      `SELECT e.execution_id, e.namespace, first_ms AS first, last_ms AS last
       FROM workflow_executions AS e INDEXED BY workflow_executions_status JOIN run_states USING (execution_id) JOIN observed_runs USING (execution_id)
       WHERE status = 'running' AND origin = 'observed' AND phase = 'completed' AND slices_queued = 0 AND told_status IS NULL`,
    )
    .all();
  for (const execution of open) {
    const { until, isListening } = heardTimeOf(tx.sql, execution, moment);
    if (isListening && until - execution.last < quietMilliseconds) continue;
    tx.sql(
      `UPDATE workflow_executions SET status = 'completed', status_reason = 'completed', end_time = ${isoTime('?')} WHERE execution_id = ?`,
    ).run(execution.last, execution.execution_id);
  }
}
