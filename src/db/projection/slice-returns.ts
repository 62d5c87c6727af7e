import { workKind } from '../../domain/slice-returns.ts';
import { nextSliceStatus } from '../../domain/slice-states.ts';
import { sliceMessageId } from '../../messages/identity.ts';
import { readMessage } from '../execution/log-reader.ts';
import { none, type Projection, applied } from './effect.ts';
import { countMove } from './slice-rows.ts';
import { sliceInAttempt } from './slice-work.ts';

/** A worker returns a slice that it cannot do. The slice waits again, in the same attempt. */
export const sliceReturned: Projection<'slice_returned'> = (message, { scope, at, tx }) => {
  const row = sliceInAttempt(tx, message, scope);
  if ('unfit' in row) return row.unfit;
  const { slice_filename, attempt, worker_id, hostname, reason, detail } = message;
  const next = nextSliceStatus(row.status, 'return');
  if (next === undefined) return none('NO_STEP', `return of a slice that is ${row.status}`);
  if (row.status === 'processing' && row.assigned_worker !== worker_id)
    return none('NO_STEP', `return of a slice that ${row.assigned_worker} has in hand`);
  const slice = readMessage(tx.sql, sliceMessageId(scope.execution_id, slice_filename, attempt));
  // WRONG_FILE is keyed by the file name alone, as in existing stores.
  const kind =
    slice?.msg_type === 'slice' ? (reason === 'WRONG_FILE' ? slice.tf_filename : workKind(slice, reason)) : '';
  tx.sql(
    `INSERT INTO returned_slices (slice_filename, attempt, execution_id, reason, kind, worker_id, hostname, detail, returned_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(slice_filename, attempt, scope.execution_id, reason, kind, worker_id, hostname, detail ?? null, at);
  if (row.status === 'queued') return applied;
  tx.sql(
    `UPDATE tf_slices SET status = ?, assigned_worker = NULL, assigned_at = NULL, hostname = NULL WHERE seq = ?`,
  ).run(next, row.seq);
  countMove(tx, scope, row.status, next);
  return applied;
};
