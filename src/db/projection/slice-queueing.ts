import type { Effect } from '../../domain/effects.ts';
import { sliceFilename } from '../../domain/file-names.ts';
import { planOf } from '../../domain/plan/versions.ts';
import { isRetried, nextSliceStatus, type SliceStatus } from '../../domain/slice-states.ts';
import type { Message } from '../../messages/message.ts';
import { currentAttempt } from '../migrations/lost-starts.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, awaiting, failureKey, none, type Projection, type Scope } from './effect.ts';
import { keepDelay, addTo } from './sums.ts';

/** A `slice` message creates a slice, or requeues a slice for its next attempt. */
export const slice: Projection<'slice'> = (message, { scope, at, tx }) => {
  const row = sliceRow(tx, scope, message.slice_filename);
  return row === undefined ? createSlice(tx, message, scope, at) : queueAgain(tx, message, row, scope, at);
};

interface SampleRow {
  stf_filename: string;
  tf_first: number;
  tf_count: number;
  created_at: string;
}

function createSlice(tx: Transaction, message: Message<'slice'>, scope: Scope, at: string): Effect {
  const { sql } = tx;
  const { slice_filename, slice_id, tf_filename, stf_filename, start, end, tf_count, attempt } = message;
  const { run_number, execution_id } = scope;
  if (attempt !== 1) return awaiting(failureKey(slice_filename, attempt - 1));
  if (slice_filename !== sliceFilename(stf_filename, slice_id))
    return none('NOT_PLANNED', `${slice_filename} is not the name of slice ${slice_id} of ${stf_filename}`);
  const sample = sql<SampleRow>(
    'SELECT stf_filename, tf_first, tf_count, created_at FROM fastmon_files WHERE tf_filename = ? AND execution_id = ?',
  ).get(tf_filename, execution_id);
  if (sample === undefined) return awaiting(tf_filename);
  if (sample.stf_filename !== stf_filename)
    return none('NOT_PLANNED', `${tf_filename} is not a sample of ${stf_filename}`);
  if (!isPlanned(message, sample, scope)) {
    const frames = `${tf_count} frames from ${start} to ${end}`;
    return none('NOT_PLANNED', `${tf_filename} is not cut into a slice ${slice_id} with ${frames}`);
  }
  sql(
    `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 1, ?)`,
  ).run(slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, start, end, tf_count, at);
  addTo(tx, 'fastmon_files', [execution_id, tf_filename], 'slice_count', 1);
  addTo(tx, 'stf_files', [execution_id, stf_filename], 'slice_count', 1);
  keepDelay(tx, scope, 'tf_file_registered → slice', { from: sample.created_at, to: at });
  countMove(tx, scope, undefined, 'queued');
  return applied;
}

/** Whether the plan has this slice. Unplanned slices would keep an execution from ever completing. */
function isPlanned(message: Message<'slice'>, sample: SampleRow, { params }: Scope) {
  const { tf_filename, slice_id, start, end, tf_count } = message;
  const { stf_filename, tf_first } = sample;
  const planned = planOf(params).slice({ tf_filename, stf_filename, tf_first, tf_count: sample.tf_count }, slice_id);
  return planned?.tf_first === start && planned.tf_last === end && planned.tf_count === tf_count;
}

function queueAgain(tx: Transaction, message: Message<'slice'>, row: SliceRow, scope: Scope, at: string): Effect {
  const { slice_filename, attempt } = message;
  if (!isSameSlice(tx, message, scope))
    return none('NOT_PLANNED', `${slice_filename} has different frames, or belongs to another file`);
  const next = nextSliceStatus(row.status, 'queue');
  const { max_retries } = scope.params.worker;
  if (next === undefined || !isRetried(attempt - 1, max_retries) || attempt !== row.attempt + 1) {
    if (mayStillCome(attempt, row, max_retries)) return awaiting(failureKey(slice_filename, attempt - 1));
    return none('NO_STEP', `attempt ${attempt} of a slice that is ${row.status} in attempt ${row.attempt}`);
  }
  tx.sql(`INSERT INTO earlier_attempts SELECT ${currentAttempt} FROM tf_slices WHERE seq = ?`).run(row.seq);
  tx.sql(
    `UPDATE tf_slices SET status = ?, attempt = ?, queued_again_at = ?, assigned_worker = NULL, assigned_at = NULL, completed_at = NULL,
       hostname = NULL, processing_seconds = NULL, took_ms = NULL, starts = 0, left_by = NULL, left_from = NULL
     WHERE seq = ?`,
  ).run(next, attempt, at, row.seq);
  addTo(tx, 'run_states', [scope.execution_id], 'slice_retries', 1);
  if (attempt === 2) addTo(tx, 'run_states', [scope.execution_id], 'slices_retried', 1);
  countMove(tx, scope, row.status, next);
  return applied;
}

/** Whether a message that requeues a slice matches the existing slice. */
function isSameSlice({ sql }: Transaction, message: Message<'slice'>, { execution_id }: Scope) {
  const { slice_filename, slice_id, tf_filename, stf_filename, start, end, tf_count } = message;
  return sql(
    `SELECT 1 FROM tf_slices WHERE slice_filename = ? AND execution_id = ? AND slice_id = ? AND tf_filename = ? AND stf_filename = ?
       AND tf_first = ? AND tf_last = ? AND tf_count = ?`,
  ).has(slice_filename, execution_id, slice_id, tf_filename, stf_filename, start, end, tf_count);
}

/** Whether this attempt may still follow the current one. */
export const mayStillCome = (attempt: number, row: SliceRow, maxRetries: number) =>
  attempt > row.attempt && row.status !== 'completed' && isRetried(attempt - 1, maxRetries);

/** A slice with its current attempt. */
export interface SliceRow {
  seq: number;
  status: SliceStatus;
  attempt: number;
  /** Number of times that a worker started the attempt. */
  starts: number;
  queued_at: string;
  started_at: string | null;
  assigned_worker: string | null;
}

/**
 * Reads a slice before it is updated, since RETURNING would make SQLite copy every page that the update
 * touches.
 */
export const sliceRow = ({ sql }: Transaction, { execution_id }: Scope, filename: string) =>
  sql<SliceRow>(
    `SELECT seq, status, attempt, starts, coalesce(queued_again_at, created_at) AS queued_at, coalesce(assigned_at, left_from) AS started_at, assigned_worker
     FROM tf_slices WHERE slice_filename = ? AND execution_id = ?`,
  ).get(filename, execution_id);

/**
 * Updates the counts of a run when a slice is created (`from` is undefined) or moves from one status to
 * another.
 */
export function countMove(
  tx: Transaction,
  { execution_id }: Pick<Scope, 'execution_id'>,
  from: SliceStatus | undefined,
  to: SliceStatus,
) {
  if (from === undefined) addTo(tx, 'run_states', [execution_id], 'slices_created', 1);
  else addTo(tx, 'run_states', [execution_id], `slices_${from}`, -1);
  addTo(tx, 'run_states', [execution_id], `slices_${to}`, 1);
}
