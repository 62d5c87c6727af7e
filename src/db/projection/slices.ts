import { planSlice, sliceFilename } from '../../domain/plan.ts';
import { isRetried, nextSliceStatus, type SliceStatus } from '../../domain/slice-states.ts';
import type { Message } from '../../messages/vocabulary.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { attemptKey, failureKey } from './awaits.ts';
import { keepDelay } from './delays.ts';
import { applied, awaiting, none, type Effect, type Projection, type Scope } from './effect.ts';

interface SliceRow {
  status: SliceStatus;
  attempt: number;
}

interface SampleRow {
  stf_filename: string;
  tf_first: number;
  tf_last: number;
  tf_count: number;
  created_at: string;
}

interface AttemptRow {
  queued_at: string;
  started_at: string | null;
  starts: number;
}

/** Read before it is changed: RETURNING would make SQLite keep a copy of every page that the change touches. */
function attemptRow(filename: string, attempt: number, sql: Prepare): AttemptRow | undefined {
  return sql<[string, number], AttemptRow>(
    'SELECT queued_at, started_at, starts FROM slice_attempts WHERE slice_filename = ? AND attempt = ?',
  ).get(filename, attempt);
}

function sliceRow(filename: string, scope: Scope, sql: Prepare): SliceRow | undefined {
  return sql<[string, string], SliceRow>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).get(filename, scope.execution_id);
}

function countMove(from: SliceStatus | undefined, to: SliceStatus, scope: Scope, sql: Prepare): void {
  const leaving = from === undefined ? 'slices_created = slices_created + 1' : `slices_${from} = slices_${from} - 1`;
  sql(`UPDATE run_states SET ${leaving}, slices_${to} = slices_${to} + 1 WHERE run_number = ?`).run(scope.run_number);
}

export const slice: Projection<'slice'> = (message, { scope, at, sql }) => {
  const row = sliceRow(message.slice_filename, scope, sql);
  const effect = row === undefined ? createSlice(message, scope, at, sql) : queueAgain(message, row, scope, sql);
  if (effect === applied) {
    sql(
      `INSERT INTO slice_attempts (slice_filename, attempt, execution_id, state, queued_at) VALUES (?, ?, ?, 'queued', ?)`,
    ).run(message.slice_filename, message.attempt, scope.execution_id, at);
  }
  return effect;
};

function createSlice(message: Message<'slice'>, scope: Scope, at: string, sql: Prepare): Effect {
  const { slice_filename, slice_id, tf_filename, stf_filename, start, end, tf_count, attempt } = message;
  if (attempt !== 1) return awaiting(failureKey(slice_filename, attempt - 1));
  if (slice_filename !== sliceFilename(stf_filename, slice_id)) {
    return none(`${slice_filename} is not the name of slice ${slice_id} of ${stf_filename}`);
  }
  const sample = sql<[string, string], SampleRow>(
    'SELECT stf_filename, tf_first, tf_last, tf_count, created_at FROM fastmon_files WHERE tf_filename = ? AND execution_id = ?',
  ).get(tf_filename, scope.execution_id);
  if (sample === undefined) return awaiting(tf_filename);
  if (sample.stf_filename !== stf_filename) return none(`${tf_filename} is no sample of ${stf_filename}`);
  if (!isPlanned(message, sample, scope))
    return none(`${tf_filename} is not cut into a slice ${slice_id} with ${tf_count} frames from ${start} to ${end}`);
  sql(
    `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 1, ?)`,
  ).run(
    slice_filename,
    slice_id,
    tf_filename,
    stf_filename,
    scope.run_number,
    scope.execution_id,
    start,
    end,
    tf_count,
    at,
  );
  sql('UPDATE fastmon_files SET slice_count = slice_count + 1 WHERE tf_filename = ?').run(tf_filename);
  keepDelay(sql, scope, 'tf_file_registered → slice', sample.created_at, at);
  sql('UPDATE stf_files SET slice_count = slice_count + 1 WHERE stf_filename = ?').run(stf_filename);
  countMove(undefined, 'queued', scope, sql);
  return applied;
}

/** A sample has as many slices as planned, and no others: an execution with more would never be complete. */
function isPlanned(message: Message<'slice'>, sample: SampleRow, { params }: Scope): boolean {
  const { tf_filename, slice_id, start, end, tf_count } = message;
  const planned = planSlice({ ...sample, tf_filename }, params.fast_processing.slices_per_sample, slice_id);
  return planned?.tf_first === start && planned.tf_last === end && planned.tf_count === tf_count;
}

/** Whether a message that queues a slice again means the slice that there is. */
function isSameSlice(message: Message<'slice'>, sql: Prepare): boolean {
  const { slice_filename, slice_id, tf_filename, stf_filename, start, end, tf_count } = message;
  const same = sql<unknown[]>(
    `SELECT 1 FROM tf_slices WHERE slice_filename = ? AND slice_id = ? AND tf_filename = ? AND stf_filename = ?
       AND tf_first = ? AND tf_last = ? AND tf_count = ?`,
  ).get(slice_filename, slice_id, tf_filename, stf_filename, start, end, tf_count);
  return same !== undefined;
}

function queueAgain(message: Message<'slice'>, row: SliceRow, scope: Scope, sql: Prepare): Effect {
  if (!isSameSlice(message, sql)) return none(`${message.slice_filename} has other frames, or is of another file`);
  const next = nextSliceStatus(row.status, 'queue');
  const { max_retries } = scope.params.worker;
  const isTried = isRetried(message.attempt - 1, max_retries);
  if (next === undefined || !isTried || message.attempt !== row.attempt + 1) {
    if (mayStillCome(message.attempt, row, max_retries))
      return awaiting(failureKey(message.slice_filename, message.attempt - 1));
    return none(`attempt ${message.attempt} of a slice that is ${row.status} in attempt ${row.attempt}`);
  }
  sql(
    `UPDATE tf_slices SET status = ?, attempt = ?, assigned_worker = NULL, assigned_at = NULL, completed_at = NULL
     WHERE slice_filename = ?`,
  ).run(next, message.attempt, message.slice_filename);
  sql('UPDATE run_states SET slice_retries = slice_retries + 1 WHERE run_number = ?').run(scope.run_number);
  countMove(row.status, next, scope, sql);
  return applied;
}

/** Whether a later attempt than that at hand can follow. */
function mayStillCome(attempt: number, row: SliceRow, maxRetries: number): boolean {
  return attempt > row.attempt && row.status !== 'completed' && isRetried(attempt - 1, maxRetries);
}

/** The slice that a worker's message is about, or why the message changes nothing. */
function sliceInAttempt(
  message: Message<'slice_started' | 'slice_result'>,
  scope: Scope,
  sql: Prepare,
): SliceRow | { unfit: Effect } {
  const row = sliceRow(message.slice_filename, scope, sql);
  const { max_retries } = scope.params.worker;
  if (row === undefined || mayStillCome(message.attempt, row, max_retries))
    return { unfit: awaiting(attemptKey(message.slice_filename, message.attempt)) };
  if (message.attempt !== row.attempt) {
    return { unfit: none(`attempt ${message.attempt} of a slice that is ${row.status} in attempt ${row.attempt}`) };
  }
  return row;
}

export const sliceStarted: Projection<'slice_started'> = (message, { scope, at, sql }) => {
  const row = sliceInAttempt(message, scope, sql);
  if ('unfit' in row) return row.unfit;
  const next = nextSliceStatus(row.status, 'start');
  if (next === undefined) return none(`start of a slice that is ${row.status}`);
  sql('UPDATE tf_slices SET status = ?, assigned_worker = ?, assigned_at = ? WHERE slice_filename = ?').run(
    next,
    message.worker_id,
    at,
    message.slice_filename,
  );
  const attempt = attemptRow(message.slice_filename, message.attempt, sql);
  sql(
    `UPDATE slice_attempts SET state = ?, worker_id = ?, hostname = ?, starts = starts + 1, started_at = ?
     WHERE slice_filename = ? AND attempt = ?`,
  ).run(next, message.worker_id, message.hostname, at, message.slice_filename, message.attempt);
  if (attempt?.starts === 0) keepDelay(sql, scope, 'slice → slice_started', attempt.queued_at, at);
  if (next !== row.status) countMove(row.status, next, scope, sql);
  return applied;
};

export const sliceResult: Projection<'slice_result'> = (message, { scope, at, sql }) => {
  const row = sliceInAttempt(message, scope, sql);
  if ('unfit' in row) return row.unfit;
  const next = nextSliceStatus(row.status, message.state === 'done' ? 'done' : 'fail');
  if (next === undefined) return none(`result of a slice that is ${row.status} already`);
  const error = message.state === 'done' ? null : (message.error ?? 'failed without a reason');
  sql(
    `UPDATE tf_slices SET status = ?, assigned_worker = ?, assigned_at = coalesce(assigned_at, ?), completed_at = ?, error = ?
     WHERE slice_filename = ?`,
  ).run(next, message.worker_id, at, at, error, message.slice_filename);
  const attempt = attemptRow(message.slice_filename, message.attempt, sql);
  sql(
    `UPDATE slice_attempts SET state = ?, worker_id = ?, hostname = ?, completed_at = ?, processing_seconds = ?, error = ?
     WHERE slice_filename = ? AND attempt = ?`,
  ).run(
    next,
    message.worker_id,
    message.hostname,
    at,
    message.processing_seconds ?? null,
    error,
    message.slice_filename,
    message.attempt,
  );
  keepDelay(sql, scope, 'slice_started → slice_result', attempt?.started_at, at);
  keepPayloadResult(message, scope, sql);
  countMove(row.status, next, scope, sql);
  if (next === 'failed' && !isRetried(message.attempt, scope.params.worker.max_retries)) {
    sql('UPDATE run_states SET slices_exhausted = slices_exhausted + 1 WHERE run_number = ?').run(scope.run_number);
  }
  return applied;
};

/** At the end of a stopped or failed execution: a slice in hand is in nobody's hand any more, and waits in the same attempt. */
export function abandonSlices({ execution_id, run_number }: Scope, sql: Prepare): void {
  sql(
    `UPDATE slice_attempts SET state = 'queued' WHERE (slice_filename, attempt) IN (
       SELECT slice_filename, attempt FROM tf_slices WHERE execution_id = ? AND status = 'processing' AND ${isOpen})`,
  ).run(execution_id);
  const { changes } = sql(
    `UPDATE tf_slices SET status = 'queued', assigned_worker = NULL, assigned_at = NULL
     WHERE execution_id = ? AND status = 'processing' AND ${isOpen}`,
  ).run(execution_id);
  sql(
    'UPDATE run_states SET slices_processing = slices_processing - ?, slices_queued = slices_queued + ? WHERE run_number = ?',
  ).run(changes, changes, run_number);
}

/** In the words of the index, or SQLite would not use it. */
const isOpen = `status IN ('queued', 'processing', 'failed')`;

function keepPayloadResult(message: Message<'slice_result'>, scope: Scope, sql: Prepare): void {
  const { slice_filename, attempt, exit_code, signal, output_tail, outputs, outputs_omitted } = message;
  const facts = [exit_code, signal, output_tail, outputs === undefined ? undefined : JSON.stringify(outputs)];
  if (facts.every((fact) => fact === undefined)) return;
  sql(
    `INSERT INTO payload_results (slice_filename, attempt, execution_id, exit_code, signal, output_tail, outputs, outputs_omitted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(slice_filename, attempt, scope.execution_id, ...facts.map((fact) => fact ?? null), outputs_omitted ?? null);
}
