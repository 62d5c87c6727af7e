import type { Effect } from '../../domain/effects.ts';
import { lateSeconds } from '../../domain/liveness.ts';
import { workKind } from '../../domain/slice-returns.ts';
import { isRetried, nextSliceStatus } from '../../domain/slice-states.ts';
import { sliceMessageId } from '../../messages/identity.ts';
import type { Message } from '../../messages/message.ts';
import { readMessage } from '../execution/log-reader.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, attemptKey, awaiting, none, type Projections, type Scope } from './effect.ts';
import { countMove, mayStillCome, type SliceRow, sliceRow } from './slice-queueing.ts';
import { keepDelay, addTo } from './sums.ts';

/** The slice that a worker's message is about, or the reason why the message changes nothing. */
function sliceInAttempt(
  tx: Transaction,
  { slice_filename, attempt }: Message<'slice_started' | 'slice_result' | 'slice_returned'>,
  scope: Scope,
): SliceRow | { unfit: Effect } {
  const row = sliceRow(tx, scope, slice_filename);
  if (row === undefined || mayStillCome(attempt, row, scope.params.worker.max_retries))
    return { unfit: awaiting(attemptKey(slice_filename, attempt)) };
  if (attempt === row.attempt) return row;
  return { unfit: none('NO_STEP', `attempt ${attempt} of a slice that is ${row.status} in attempt ${row.attempt}`) };
}

/** Workers' reports on slices. */
export const workProjections = {
  slice_started: (message, { scope, at, tx }) => {
    const row = sliceInAttempt(tx, message, scope);
    if ('unfit' in row) return row.unfit;
    const next = nextSliceStatus(row.status, 'start');
    if (next === undefined) return none('NO_STEP', `start of a slice that is ${row.status}`);
    const { worker_id, hostname } = message;
    if (row.status === 'processing') keepFollowedStart(tx, row, scope, at);
    tx.sql(
      `UPDATE tf_slices SET status = ?, assigned_worker = ?, assigned_at = ?, hostname = ?, starts = starts + 1
     WHERE seq = ?`,
    ).run(next, worker_id, at, hostname, row.seq);
    if (row.starts === 0) keepDelay(tx, scope, 'slice → slice_started', { from: row.queued_at, to: at });
    if (next !== row.status) countMove(tx, scope, row.status, next);
    return applied;
  },

  slice_result: (message, { scope, at, tx }) => {
    const row = sliceInAttempt(tx, message, scope);
    if ('unfit' in row) return row.unfit;
    const next = nextSliceStatus(row.status, message.state === 'done' ? 'done' : 'fail');
    if (next === undefined) return none('NO_STEP', `result of a slice that is already ${row.status}`);
    const { attempt, worker_id, hostname, processing_seconds, took_seconds } = message;
    const error = message.state === 'done' ? null : (message.error ?? 'failed without a reason');
    const from = row.starts === 0 ? undefined : row.started_at;
    const took = tookOtherwise(took_seconds, from, at);
    const took_ms = took === undefined ? null : Math.round(took * 1000);
    // Setting the worker or the duration rewrites index entries, even if the values stay the same.
    if (worker_id !== row.assigned_worker || took_ms !== null)
      tx.sql('UPDATE tf_slices SET assigned_worker = ?, took_ms = ? WHERE seq = ?').run(worker_id, took_ms, row.seq);
    tx.sql(
      `UPDATE tf_slices SET status = ?, assigned_at = coalesce(assigned_at, ?), completed_at = ?, error = ?, hostname = ?,
       processing_seconds = ? WHERE seq = ?`,
    ).run(next, at, at, error, hostname, processing_seconds ?? null, row.seq);
    const stage = next === 'failed' ? 'slice_started → failed result' : 'slice_started → slice_result';
    keepDelay(tx, scope, stage, { from, to: at, seconds: took });
    keepPayloadResult(tx, message, scope);
    countMove(tx, scope, row.status, next);
    if (next === 'failed' && !isRetried(attempt, scope.params.worker.max_retries))
      addTo(tx, 'run_states', [scope.execution_id], 'slices_exhausted', 1);
    return applied;
  },

  /** A worker returns a slice that it cannot process. The slice is queued again, for the same attempt. */
  slice_returned: (message, { scope, at, tx }) => {
    const row = sliceInAttempt(tx, message, scope);
    if ('unfit' in row) return row.unfit;
    const { slice_filename, attempt, worker_id, hostname, reason, detail } = message;
    const next = nextSliceStatus(row.status, 'return');
    if (next === undefined) return none('NO_STEP', `return of a slice that is ${row.status}`);
    if (row.status === 'processing' && row.assigned_worker !== worker_id)
      return none('NO_STEP', `return of a slice that ${row.assigned_worker} holds`);
    const slice = readMessage(tx.sql, sliceMessageId(scope.execution_id, message));
    // The key for WRONG_FILE is only the file name, for compatibility with existing stores.
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
  },
} satisfies Partial<Projections>;

/**
 * Keeps the previous start of a slice that is started again because its worker vanished or a broker delivered
 * it twice. A start that precedes the start of the current driver was interrupted with the whole run, and does
 * not count.
 */
function keepFollowedStart(tx: Transaction, { seq, started_at }: SliceRow, { execution_id }: Scope, at: string) {
  const isInterrupted = tx
    .sql(
      `SELECT 1 FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark}
       AND type_no = ${numberOf(`'driver_started'`)} AND effect = 'applied' AND recorded_ms >= ?`,
    )
    .has(execution_id, Date.parse(started_at ?? at));
  if (isInterrupted) return;
  tx.sql(
    `INSERT INTO followed_starts (slice_filename, attempt, start, execution_id, worker_id, hostname, queued_at, started_at, followed_at)
     SELECT slice_filename, attempt, starts, execution_id, assigned_worker, hostname, coalesce(queued_again_at, created_at), assigned_at, ?
     FROM tf_slices WHERE seq = ?`,
  ).run(at, seq);
  tx.sql('UPDATE tf_slices SET followed_starts = followed_starts + 1 WHERE seq = ?').run(seq);
}

/**
 * How many seconds shorter than the measured duration a recorded duration may be: the start is recorded
 * slightly late.
 */
const slack = 1;

/**
 * The seconds for which the worker had the slice, as the worker measured them, if the recorded times cannot be
 * right, because the recorder was disconnected and recorded both times together or the end much too late, or
 * because the clock was set. Otherwise undefined: the recorded times then give the time from hand-over to
 * result.
 */
export function tookOtherwise(measured: number | undefined, from: string | null | undefined, to: string) {
  if (measured === undefined || from === null || from === undefined) return undefined;
  const recorded = (Date.parse(to) - Date.parse(from)) / 1000;
  return recorded < measured - slack || recorded > measured + lateSeconds ? measured : undefined;
}

function keepPayloadResult({ sql }: Transaction, message: Message<'slice_result'>, { execution_id }: Scope) {
  const { slice_filename, attempt, exit_code, signal, output_tail, outputs, outputs_omitted } = message;
  const facts = [exit_code, signal, output_tail, outputs && JSON.stringify(outputs)];
  if (facts.every((fact) => fact === undefined)) return;
  sql(
    `INSERT INTO payload_results (slice_filename, attempt, execution_id, exit_code, signal, output_tail, outputs, outputs_omitted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(slice_filename, attempt, execution_id, ...facts.map((fact) => fact ?? null), outputs_omitted ?? null);
}

const inHand = `status = 'processing' AND ${indexPredicates.openSlice}`;

/** Requeues the slices in hand at the end of a stopped or failed execution. They stay in the same attempt. */
export function abandonSlices(tx: Transaction, { execution_id }: Scope) {
  const { sql } = tx;
  const next = nextSliceStatus('processing', 'abandon') ?? 'queued';
  const { changes } = sql(
    `UPDATE tf_slices SET status = ?, left_by = assigned_worker, left_from = assigned_at, assigned_worker = NULL, assigned_at = NULL
     WHERE execution_id = ? AND ${inHand}`,
  ).run(next, execution_id);
  addTo(tx, 'run_states', [execution_id], 'slices_processing', -changes);
  addTo(tx, 'run_states', [execution_id], 'slices_queued', changes);
}
