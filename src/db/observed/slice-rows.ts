import type { SliceStatus } from '../../domain/slice-states.ts';
import type { ResultFact, SliceFact } from '../../observed/reading/fact.ts';
import { countMove } from '../projection/slice-rows.ts';
import { sumsOf } from '../projection/sums.ts';
import { attemptsOf } from './attempt-rows.ts';
import { isBefore, type ObservedScope, type SaidFact, saidAt, timeOf } from './said.ts';
import { sentAfterTold } from './told-slices.ts';

/** An attempt with its messages. */
interface ToldAttempt {
  slice: SaidFact<SliceFact>;
  result: SaidFact<ResultFact> | undefined;
}

/** Rebuilds the rows of a slice from all its messages, so that the order in which they came makes no difference. @param news the message that came last */
export function rebuildSlice(scope: ObservedScope, filename: string, news: SaidFact<SliceFact | ResultFact>): void {
  const { sql, execution_id } = scope;
  const attempts = toldAttempts(scope, filename, news);
  const [first] = attempts;
  if (first === undefined) return;
  const done = attempts.findIndex(({ result }) => result?.fact.state === 'done');
  const current = done === -1 ? attempts.length - 1 : done;
  const before = sql<[string, string], SliceStatus>(
    'SELECT status FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).value(filename, execution_id);
  const status = statusOf(attempts[current] as ToldAttempt);
  if (news.fact.kind === 'slice') noteSample(scope, news.fact, { isNew: before === undefined, at: timeOf(news) });
  if (before === undefined) {
    countNew(scope, first.slice);
    sentAfterTold(scope, filename);
  }
  writeSlice(scope, attempts, current);
  countChange(scope, before, status);
  if (attempts.length > 1) writeEarlier(scope, filename, attempts, current);
}

/** Updates the counts of an execution when a slice is new or changes status. */
function countChange(scope: ObservedScope, before: SliceStatus | undefined, now: SliceStatus): void {
  if (before === now) return;
  const { tx, execution_id } = scope;
  countMove(tx, scope, before, now);
  // No message tells how often a slice is tried, so a failed one counts as exhausted.
  const exhausted = (now === 'failed' ? 1 : 0) - (before === 'failed' ? 1 : 0);
  sumsOf(tx).add('run_states', [execution_id], 'slices_exhausted', exhausted);
}

/** Ordered by when their senders say they made them. */
function toldAttempts(scope: ObservedScope, filename: string, news: SaidFact<SliceFact | ResultFact>): ToldAttempt[] {
  const read = <F extends SliceFact | ResultFact>(seq: number | null): SaidFact<F> | undefined =>
    seq === null ? undefined : seq === news.seq ? (news as SaidFact<F>) : saidAt<F>(scope.tx, seq);
  return attemptsOf(scope, filename)
    .flatMap(({ slice_seq, result_seq }) => {
      const slice = read<SliceFact>(slice_seq);
      return slice === undefined ? [] : [{ slice, result: read<ResultFact>(result_seq) }];
    })
    .toSorted(({ slice: a }, { slice: b }) => {
      const [left, right] = [a.fact.requested_at ?? '', b.fact.requested_at ?? ''];
      return left === right ? (isBefore(a, b) ? -1 : 1) : left < right ? -1 : 1;
    });
}

const statusOf = ({ result }: ToldAttempt): SliceStatus =>
  result === undefined ? 'queued' : result.fact.state === 'done' ? 'completed' : 'failed';

/** The columns that a result fills; without one, they are null. The worker's clock may be in any zone, so its start is the result's time minus the duration that it measured. */
function outcomeOf({ slice, result }: ToldAttempt) {
  const { started_at, processed_at, processing_seconds, worker, hostname, state, error }: Partial<ResultFact> =
    result?.fact ?? {};
  const measured = plausible(processing_seconds);
  const took = plausible(secondsBetween(started_at, processed_at)) ?? measured;
  const took_ms = took === undefined ? null : Math.round(took * 1000);
  const sent_ms = result?.sent_ms ?? 0;
  return {
    worker: orNull(worker),
    hostname: orNull(hostname),
    started_at: took === undefined ? null : new Date(sent_ms - took * 1000).toISOString(),
    completed_at: result === undefined ? null : timeOf(result),
    seconds: orNull(measured ?? took),
    error: state === 'failed' ? (error ?? 'failed without a reason') : null,
    starts: result === undefined ? 0 : 1,
    waited_ms: took_ms === null ? null : Math.max(0, sent_ms - took_ms - slice.sent_ms),
    took_ms,
  };
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;

/** No slice takes longer: such a time is from a clock that was never set. Seconds. */
const maxSeconds = 30 * 86_400;

const plausible = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && seconds >= 0 && seconds <= maxSeconds ? seconds : undefined;

/** Seconds between two times of one clock; undefined where one is missing. */
function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  const seconds = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}

function writeSlice(scope: ObservedScope, attempts: readonly ToldAttempt[], current: number): void {
  const { sql, execution_id, run_number } = scope;
  const [first, now] = [attempts[0] as ToldAttempt, attempts[current] as ToldAttempt];
  const { slice_filename, slice_id, tf_filename, stf_filename = null } = first.slice.fact;
  const { tf_first = null, tf_last = null, tf_count = null } = first.slice.fact;
  const { worker, started_at, completed_at, error, hostname, seconds, starts, waited_ms, took_ms } = outcomeOf(now);
  const names = [slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id];
  const state = [statusOf(now), current + 1, timeOf(first.slice), current === 0 ? null : timeOf(now.slice)];
  const outcome = [worker, started_at, completed_at, error, hostname, seconds, starts, waited_ms, took_ms];
  sql(
    `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt,
       created_at, queued_again_at, assigned_worker, assigned_at, completed_at, error, hostname, processing_seconds, starts, waited_ms, took_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (slice_filename, execution_id) DO UPDATE SET stf_filename = excluded.stf_filename, tf_first = excluded.tf_first, tf_last = excluded.tf_last,
       tf_count = excluded.tf_count, status = excluded.status, attempt = excluded.attempt, created_at = excluded.created_at,
       queued_again_at = excluded.queued_again_at, assigned_worker = excluded.assigned_worker, assigned_at = excluded.assigned_at,
       completed_at = excluded.completed_at, error = excluded.error, hostname = excluded.hostname,
       processing_seconds = excluded.processing_seconds, starts = excluded.starts, waited_ms = excluded.waited_ms, took_ms = excluded.took_ms`,
  ).run(...names, tf_first, tf_last, tf_count, ...state, ...outcome);
}

/** Notes the TF file of a slice: its number of slices, the largest, and when the first was made. @param at if the sender does not say, ISO 8601 */
export function noteSample(
  { sql, execution_id }: ObservedScope,
  { tf_filename, tf_count, requested_at }: Pick<SliceFact, 'tf_filename' | 'tf_count' | 'requested_at'>,
  { isNew, at }: { isNew: boolean; at: string },
): void {
  sql(
    `INSERT INTO observed_samples (execution_id, tf_filename, slices, largest, first_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (execution_id, tf_filename) DO UPDATE SET slices = slices + excluded.slices,
       largest = max(coalesce(largest, excluded.largest), coalesce(excluded.largest, largest)), first_at = min(first_at, excluded.first_at)`,
  ).run(execution_id, tf_filename, isNew ? 1 : 0, orNull(tf_count), requested_at ?? at);
}

function countNew({ sql, execution_id }: ObservedScope, { fact }: SaidFact<SliceFact>): void {
  const addOneTo = (table: string, column: string) =>
    sql(`UPDATE ${table} SET slice_count = slice_count + 1 WHERE ${column} = ? AND execution_id = ?`);
  addOneTo('fastmon_files', 'tf_filename').run(fact.tf_filename, execution_id);
  if (fact.stf_filename !== undefined) addOneTo('stf_files', 'stf_filename').run(fact.stf_filename, execution_id);
}

/** Writes the attempts other than the current one. */
function writeEarlier(scope: ObservedScope, filename: string, attempts: readonly ToldAttempt[], current: number): void {
  const { tx, sql, execution_id } = scope;
  const count = sql<[string, string], number>(
    'SELECT count(*) FROM earlier_attempts WHERE slice_filename = ? AND execution_id = ?',
  );
  const before = count.value(filename, execution_id) ?? 0;
  sql('DELETE FROM earlier_attempts WHERE slice_filename = ? AND execution_id = ?').run(filename, execution_id);
  for (const [index, attempt] of attempts.entries()) {
    if (index === current) continue;
    const { worker, hostname, starts, started_at, completed_at, seconds, error } = outcomeOf(attempt);
    const told = [statusOf(attempt), worker, hostname, starts, timeOf(attempt.slice)];
    sql(
      `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at, processing_seconds, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(filename, index + 1, execution_id, ...told, started_at, completed_at, seconds, error);
  }
  const sums = sumsOf(tx);
  sums.add('run_states', [execution_id], 'slice_retries', attempts.length - 1 - before);
  if (before === 0) sums.add('run_states', [execution_id], 'slices_retried', 1);
}
