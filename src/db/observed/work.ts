import { isDeepStrictEqual } from 'node:util';

import type { SliceStatus } from '../../domain/slice-states.ts';
import {
  firstOf,
  type FoldedSlice,
  foldWork,
  otherAttempts,
  type SaidWork,
  sliceRow,
  statusNow,
  type Work,
} from '../../observed/folding/work.ts';
import { milliseconds } from '../migrations/message-columns.ts';
import { addTo } from '../projection/sums.ts';
import { buffered } from '../sqlite/buffered.ts';
import { foldWith, forgetSubject, noteSubject, type ObservedScope } from './said.ts';

/**
 * Applies a message about a slice: refolds the slices that it concerns, replaces their rows, and adjusts the
 * counts by the difference.
 */
export function workSaid(scope: ObservedScope, said: SaidWork, earlier: SaidWork | undefined) {
  const { before, after } = foldWith(scope, said, earlier, foldWork);
  for (const [name, slice] of after.slices) {
    const was = before.slices.get(name);
    if (was !== undefined && earlier === undefined && isDeepStrictEqual(seqsOf(was), seqsOf(slice))) continue;
    writeSlice(scope, slice, was);
  }
  for (const [name, was] of before.slices) if (!after.slices.has(name)) removeSlice(scope, was);
  moveCounts(scope, tallyOf(before), tallyOf(after));
  noteLast(scope, lastOf(before), lastOf(after));
}

/**
 * When the last result that counts was sent, and when the last result of a completed slice was sent.
 * Milliseconds since 1970; 0 if there is none.
 */
function lastOf({ slices }: Work) {
  const last = { result: 0, done: 0 };
  for (const { attempts, current } of slices.values()) {
    const { sent_ms = 0, fact } = attempts[current]?.result ?? {};
    last.result = Math.max(last.result, sent_ms);
    if (fact?.state === 'done') last.done = Math.max(last.done, sent_ms);
  }
  return last;
}

type Last = ReturnType<typeof lastOf>;

/** As SQL: the same times as `lastOf`, for all slices of an execution. */
export const lastOfSlices = (
  id: string,
) => `(SELECT coalesce(max(completed_at), 0), coalesce(max(completed_at) FILTER (WHERE status = 'completed'), 0)
    FROM (SELECT ${milliseconds('completed_at')} AS completed_at, status FROM tf_slices WHERE execution_id = ${id}))`;

const lastResults = buffered(({ sql }, execution_id, { isTakenBack, ...last }: Last & { isTakenBack: boolean }) => {
  const values = isTakenBack
    ? lastOfSlices('$execution_id')
    : '(max(last_result_ms, $result), max(last_done_ms, $done))';
  sql(`UPDATE observed_runs SET (last_result_ms, last_done_ms) = ${values} WHERE execution_id = $execution_id`).run({
    execution_id,
    ...last,
  });
});

/**
 * Records when the last results were sent. If it turns out that another message counts instead, a time may
 * become earlier; the times are then read from the rows.
 */
function noteLast({ tx, execution_id }: ObservedScope, before: Last, { result, done }: Last) {
  if (before.result === result && before.done === done) return;
  const isTakenBack = result < before.result || done < before.done;
  lastResults(tx, execution_id, (known = { result, done, isTakenBack }) => ({
    result: Math.max(known.result, result),
    done: Math.max(known.done, done),
    isTakenBack: known.isTakenBack || isTakenBack,
  }));
}

function moveCounts({ tx, execution_id }: ObservedScope, before: Tally, after: Tally) {
  for (const table of ['run_states', 'observed_runs'] as const)
    for (const [column, now] of Object.entries(after[table])) {
      const n = now - (before[table][column] ?? 0);
      if (n !== 0) addTo(tx, table, [execution_id], column, n);
    }
}

/**
 * Counts a slice in the rows of its files. If a file has not been mentioned yet, its slices are counted once it
 * has been.
 */
function countSlice(scope: ObservedScope, slice: FoldedSlice, n: 1 | -1) {
  const { sql, execution_id } = scope;
  const { tf_filename, stf_filename } = firstOf(slice);
  const countIn = (table: string, column: string) =>
    sql(`UPDATE ${table} SET slice_count = slice_count + ? WHERE ${column} = ? AND execution_id = ?`);
  countIn('fastmon_files', 'tf_filename').run(n, tf_filename, execution_id);
  if (stf_filename !== undefined) countIn('stf_files', 'stf_filename').run(n, stf_filename, execution_id);
  noteSample(scope, tf_filename, n);
}

/** The messages that determine the state of a slice. */
const seqsOf = ({ attempts }: FoldedSlice) =>
  attempts.flatMap(({ slice, result }) => (result === undefined ? [slice.seq] : [slice.seq, result.seq]));

type Tally = Record<'run_states' | 'observed_runs', Readonly<Record<string, number>>>;

/** What the given work adds to the counts, by table and column. */
function tallyOf({ slices, registered, unmatched, repeated }: Work): Tally {
  const folded = [...slices.values()];
  const attempts = folded.flatMap((one) => one.attempts);
  const statuses = folded.map(statusNow);
  const count = (status: SliceStatus) => statuses.filter((one) => one === status).length;
  const failed = count('failed');
  return {
    run_states: {
      slices_created: folded.length,
      slices_queued: count('unanswered'),
      slices_completed: count('completed'),
      slices_failed: failed,
      // No message says how often a slice may be retried, so a failed slice counts as exhausted.
      slices_exhausted: failed,
      slice_retries: attempts.length - folded.length,
      slices_retried: folded.filter((one) => one.attempts.length > 1).length,
    },
    observed_runs: {
      without_execution: attempts.filter(({ slice: { fact } }) => fact.kind === 'slice' && !fact.namesExecution).length,
      results_repeated: repeated,
      results_unmatched: unmatched,
      slices_told: registered.size,
      slices_unsent: [...registered].filter((name) => !slices.has(name)).length,
      slices_unheard: attempts.filter(({ slice }) => slice.fact.kind === 'told_slice').length,
    },
  };
}

function writeSlice(scope: ObservedScope, slice: FoldedSlice, was: FoldedSlice | undefined) {
  const { sql, execution_id, run_number } = scope;
  sql(
    `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt,
       created_at, queued_again_at, assigned_worker, assigned_at, completed_at, error, hostname, processing_seconds, starts, waited_ms, took_ms, job)
     VALUES ($slice_filename, $slice_id, $tf_filename, $stf_filename, $run_number, $execution_id, $tf_first, $tf_last, $tf_count, $status, $attempt,
       $created_at, $queued_again_at, $worker, $started_at, $completed_at, $error, $hostname, $seconds, $starts, $waited_ms, $took_ms, $job)
     ON CONFLICT (slice_filename, execution_id) DO UPDATE SET slice_id = excluded.slice_id, tf_filename = excluded.tf_filename, stf_filename = excluded.stf_filename, tf_first = excluded.tf_first, tf_last = excluded.tf_last,
       tf_count = excluded.tf_count, status = excluded.status, attempt = excluded.attempt, created_at = excluded.created_at,
       queued_again_at = excluded.queued_again_at, assigned_worker = excluded.assigned_worker, assigned_at = excluded.assigned_at,
       completed_at = excluded.completed_at, error = excluded.error, hostname = excluded.hostname,
       processing_seconds = excluded.processing_seconds, starts = excluded.starts, waited_ms = excluded.waited_ms, took_ms = excluded.took_ms, job = excluded.job`,
  ).run({ ...sliceRow(slice), execution_id, run_number });
  if (was === undefined || !isDeepStrictEqual(placeOf(was), placeOf(slice))) {
    if (was !== undefined) countSlice(scope, was, -1);
    countSlice(scope, slice, 1);
  }
  writeOthers(scope, slice, was);
  linkMessages(scope, slice, was);
}

/** Removes a slice that only REST reported, once its result turns out to belong to another slice. */
function removeSlice(scope: ObservedScope, was: FoldedSlice) {
  const { sql, execution_id } = scope;
  const { slice_filename } = was;
  for (const table of ['tf_slices', 'earlier_attempts'])
    sql(`DELETE FROM ${table} WHERE slice_filename = ? AND execution_id = ?`).run(slice_filename, execution_id);
  countSlice(scope, was, -1);
  linkMessages(scope, { ...was, attempts: [] }, was);
}

/** The facts about a slice on which the counts of its files depend. */
function placeOf(slice: FoldedSlice): unknown[] {
  const { tf_filename, stf_filename, tf_count } = firstOf(slice);
  return [tf_filename, stf_filename, tf_count, slice.attempts[0]?.slice.sent_ms];
}

/**
 * Records for a TF file the number of its slices, the size of the largest, and when the first was sent.
 * @param n 1 if a slice was added, -1 if one was removed
 */
function noteSample({ sql, execution_id }: ObservedScope, tfFilename: string, n: 1 | -1) {
  if (n === -1)
    sql('DELETE FROM observed_samples WHERE execution_id = ? AND tf_filename = ?').run(execution_id, tfFilename);
  sql(
    `INSERT INTO observed_samples (execution_id, tf_filename, slices, largest, first_at)
     SELECT execution_id, tf_filename, count(*), max(tf_count), min(created_at) FROM tf_slices WHERE tf_filename = ? AND execution_id = ? GROUP BY 1, 2
     ON CONFLICT (execution_id, tf_filename) DO UPDATE SET slices = excluded.slices, largest = excluded.largest, first_at = excluded.first_at`,
  ).run(tfFilename, execution_id);
}

/** Writes a slice's attempts other than the current one. */
function writeOthers({ sql, execution_id }: ObservedScope, slice: FoldedSlice, was: FoldedSlice | undefined) {
  if (slice.attempts.length === 1 && (was?.attempts.length ?? 1) === 1) return;
  sql('DELETE FROM earlier_attempts WHERE slice_filename = ? AND execution_id = ?').run(
    slice.slice_filename,
    execution_id,
  );
  for (const row of otherAttempts(slice))
    sql(
      `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at, processing_seconds, error, job)
       VALUES ($slice_filename, $attempt, $execution_id, $state, $worker, $hostname, $starts, $queued_at, $started_at, $completed_at, $seconds, $error, $job)`,
    ).run({ ...row, execution_id });
}

/** Records which messages determine the state of a slice. */
function linkMessages(scope: ObservedScope, slice: FoldedSlice, was: FoldedSlice | undefined) {
  const subject = { subject: 'attempt', key: slice.slice_filename };
  const before = was === undefined ? [] : seqsOf(was);
  const after = seqsOf(slice);
  for (const seq of after) if (!before.includes(seq)) noteSubject(scope, subject, seq);
  for (const seq of before) if (!after.includes(seq)) forgetSubject(scope, subject, seq);
}
