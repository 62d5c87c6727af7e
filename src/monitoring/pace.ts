import { delayOf, type Facts, payloadLimit, secondsBetween, type SliceInHand, wallSeconds } from './facts.ts';

/** How long slices of an execution usually take, and from when on one in hand is worth a word. Seconds of wall time. */
export interface Pace {
  /** As 95 of 100 completed slices stay below, else as planned; undefined for a payload of which too few are done. */
  usual_seconds: number | undefined;
  slow_seconds: number;
  /** Undefined where nobody knows what is usual: then a slice in hand alone stalls nothing. */
  stalled_seconds: number | undefined;
}

const slowFactor = 3;
const stalledFactor = 6;
/** Shorter times are not worth a word. */
export const leastSlowSeconds = 5;
export const leastStalledSeconds = 15;
/** So many slices tell what is usual. */
const enough = 5;
/** A payload of which nobody knows how long it takes is worth a word after this time. */
const unknownSlowSeconds = 60;

/**
 * How long a slice usually takes, and from when on it is slow or stalled, in seconds of wall time. The p95 of those that are done says so; before there are
 * five, the configured time, and of a payload a minute.
 */
export function paceOf(facts: Facts): Pace {
  const completed = delayOf(facts, 'slice_started → slice_result');
  const hasPayload = payloadLimit(facts) !== undefined;
  const planned = wallSeconds(facts.params.fast_processing.slice_processing_time, facts.params);
  if (completed === undefined || completed.items < enough) {
    if (hasPayload) return { usual_seconds: undefined, slow_seconds: unknownSlowSeconds, stalled_seconds: undefined };
    return bounds(planned);
  }
  // After a resume at another speed the slices before tell nothing of those after.
  return bounds(facts.hasChangedSpeed && !hasPayload ? Math.max(planned, completed.p95) : completed.p95);
}

const bounds = (usual: number): Pace => ({
  usual_seconds: usual,
  slow_seconds: Math.max(leastSlowSeconds, slowFactor * usual),
  stalled_seconds: Math.max(leastStalledSeconds, stalledFactor * usual),
});

/** A slice in hand with its age in seconds. */
export interface AgedSlice extends SliceInHand {
  seconds: number;
}

const aged = (slice: SliceInHand, now: number): AgedSlice => ({ ...slice, seconds: secondsBetween(slice.since, now) });

/** The slice that a living worker has had in hand for longest. */
export function oldestInHand({ in_hand, now }: Facts): AgedSlice | undefined {
  const [oldest] = in_hand;
  return oldest === undefined ? undefined : aged(oldest, now);
}

/** Slices in hand for so long that it is worth a word, the oldest first. */
export function overdueSlices({ in_hand, now }: Facts, { slow_seconds }: Pace): AgedSlice[] {
  return in_hand.map((slice) => aged(slice, now)).filter(({ seconds }) => seconds > slow_seconds);
}

/** How the slices in hand do, as the oldest of them tells. While most of the others are done in their usual time, those that hang make a run slow, and not stuck. */
export function handState(facts: Facts, { slow_seconds, stalled_seconds }: Pace): 'working' | 'slow' | 'stuck' {
  const [oldest = 0, ...others] = facts.in_hand.map((slice) => aged(slice, facts.now).seconds);
  if (oldest <= slow_seconds) return 'working';
  if (stalled_seconds === undefined || oldest <= stalled_seconds) return 'slow';
  const inTime = others.filter((seconds) => seconds <= slow_seconds).length;
  const done = secondsBetween(delayOf(facts, 'slice_started → slice_result')?.last_at ?? '', facts.now);
  return inTime > facts.in_hand.length / 2 && done <= slow_seconds ? 'slow' : 'stuck';
}
