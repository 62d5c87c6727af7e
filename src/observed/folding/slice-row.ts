import type { SliceStatus } from '../../domain/slice-states.ts';
import type { ResultFact } from '../reading/fact.ts';
import { timeOf } from './said.ts';
import type { Attempt, FoldedSlice } from './work.ts';

/** The facts of a slice that its first message states. */
export const firstOf = ({ attempts }: FoldedSlice) => (attempts[0] as Attempt).slice.fact;

/** The columns of a slice. Times are ISO 8601. */
export function sliceRow(slice: FoldedSlice) {
  const { slice_filename, attempts, current } = slice;
  const [first, now] = [attempts[0] as Attempt, attempts[current] as Attempt];
  const { slice_id, tf_filename, stf_filename, tf_first, tf_last, tf_count } = firstOf(slice);
  return {
    slice_filename,
    slice_id,
    tf_filename,
    stf_filename: orNull(stf_filename),
    tf_first: orNull(tf_first),
    tf_last: orNull(tf_last),
    tf_count: orNull(tf_count),
    status: statusOf(now),
    attempt: current + 1,
    created_at: timeOf(first.slice),
    queued_again_at: current === 0 ? null : timeOf(now.slice),
    ...outcomeOf(now),
  };
}

/** The columns of its attempts other than the current one. */
export const otherAttempts = ({ slice_filename, attempts, current }: FoldedSlice) =>
  attempts.flatMap((attempt, index) => {
    const queued_at = timeOf(attempt.slice);
    const row = { slice_filename, attempt: index + 1, state: statusOf(attempt), queued_at, ...outcomeOf(attempt) };
    return index === current ? [] : [row];
  });

/** How a slice stands, by the attempt that decides. */
export const statusNow = ({ attempts, current }: FoldedSlice): SliceStatus => statusOf(attempts[current] as Attempt);

const statusOf = ({ result }: Attempt): SliceStatus =>
  result === undefined ? 'unanswered' : result.fact.state === 'done' ? 'completed' : 'failed';

/** The columns that a result fills; without one, they are null. The worker's clock may be in any zone, so its start is the result's time minus the duration that it measured. */
function outcomeOf({ slice, result }: Attempt) {
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
