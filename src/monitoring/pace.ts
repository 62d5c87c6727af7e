import { delayOf, type Facts, payloadLimit, secondsBetween, type SliceInHand, wallSeconds } from './facts.ts';

/**
 * How long slices of an execution usually take, and when a slice in hand is slow enough to report. Seconds of
 * wall time. The usual time is unknown for a payload with too few completed slices; in that case, a slow slice
 * alone does not make the execution count as stalled.
 */
export type Pace = ReturnType<typeof paceOf>;

const slowFactor = 3;
const stalledFactor = 6;
/** Shorter times are not reported. */
const minSlowSeconds = 5;
const minStalledSeconds = 15;
/** Number of completed slices needed to know the usual time. */
const enough = 5;
/** If a payload's usual time is unknown, its slices count as slow after this time. */
const unknownSlowSeconds = 60;

/**
 * How long a slice usually takes, and when it counts as slow or stalled, in seconds of wall time. Based on the
 * p95 of completed slices or, with fewer than five, on the configured time; a payload's slice then counts as
 * slow after a minute.
 */
export function paceOf(facts: Facts) {
  const completed = delayOf(facts.delays, 'slice_started → slice_result');
  const hasPayload = payloadLimit(facts) !== undefined;
  const planned = wallSeconds(facts.params.fast_processing.slice_processing_time, facts.params);
  if (completed === undefined || completed.items < enough) {
    if (hasPayload) return { usual_seconds: undefined, slow_seconds: unknownSlowSeconds, stalled_seconds: undefined };
    return bounds(planned);
  }
  // After a resume at another speed, earlier slices do not show how long later ones will take.
  return bounds(facts.hasChangedSpeed && !hasPayload ? Math.max(planned, completed.p95) : completed.p95);
}

/** After how many seconds something that usually takes `usual` seconds counts as slow or as stalled. */
export const bounds = (usual: number) => ({
  usual_seconds: usual,
  slow_seconds: Math.max(minSlowSeconds, slowFactor * usual),
  stalled_seconds: Math.max(minStalledSeconds, stalledFactor * usual),
});

/** A slice in hand, with its age in seconds. */
export type AgedSlice = ReturnType<typeof aged>;

/**
 * While the broker is unreachable, the outcome of a slice is unknown, so its age stays what it was when its
 * worker was last heard from.
 */
const aged = (slice: SliceInHand, { now, broker_away_since: away }: Facts) => ({
  ...slice,
  seconds: secondsBetween(slice.since, away === undefined ? now : Date.parse(away)),
});

/** The slice that a live worker has had in hand longest. */
export function oldestInHand(facts: Facts) {
  const [oldest] = facts.in_hand;
  return oldest && aged(oldest, facts);
}

/** Slices in hand that are slow enough to report, oldest first. */
export const overdueSlices = (facts: Facts, { slow_seconds }: Pace) =>
  facts.in_hand.map((slice) => aged(slice, facts)).filter(({ seconds }) => seconds > slow_seconds);

/**
 * The state of the slices in hand, judged by the oldest one. As long as a third of them are on time and
 * slices are being finished, hanging slices make a run slow, not stuck.
 */
export function handState(facts: Facts, { slow_seconds, stalled_seconds }: Pace) {
  const [oldest = 0, ...others] = facts.in_hand.map((slice) => aged(slice, facts).seconds);
  if (oldest <= slow_seconds) return 'working';
  if (stalled_seconds === undefined || oldest <= stalled_seconds) return 'slow';
  const inTime = others.filter((seconds) => seconds <= slow_seconds).length;
  const done = secondsBetween(delayOf(facts.delays, 'slice_started → slice_result')?.last_at ?? '', facts.now);
  return inTime * 3 >= facts.in_hand.length && done <= slow_seconds ? 'slow' : 'stuck';
}
