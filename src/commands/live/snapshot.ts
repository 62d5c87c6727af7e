import type { Queries } from '../../db/queries.ts';
import type { Driving } from '../../db/reports/assessment.ts';
import type { Speed } from '../../domain/params.ts';
import { logLevels } from '../../lib/logger.ts';
import { sitesPart } from '../../tools/shared/sites.ts';

/** An execution at one moment, as the live view shows it. */
export type Snapshot = ReturnType<typeof takeSnapshot>;

export const takeSnapshot = (queries: Queries, executionId: string) =>
  queries.snapshot(() => {
    const execution = queries.execution(executionId);
    const assessed = queries.assess(execution, Date.now());
    const { detail, health, progress, driving, duration_seconds: elapsed } = assessed;
    const { isHeld, left, in_hand: inHand, pace, slots, speed }: Partial<Driving> = driving ?? {};
    const { execution_id, status } = execution;
    const isMoving = status === 'running' && health !== 'stalled';
    const [error]: { timestamp: string; message: string }[] = queries.logs(
      { execution_id, level: logLevels.ERROR },
      { order: 'newest', limit: 1, uncounted: true },
    ).rows;
    return {
      execution,
      record: detail,
      health,
      driver: queries.driver(execution_id),
      /** The operator who paused the execution. */
      pausedBy: isHeld === true ? queries.pausedBy(execution) : undefined,
      progress,
      /** Seconds until the whole execution is done, if that is known. */
      secondsLeft: left?.seconds_left,
      /** Whether the execution may take arbitrarily longer than `secondsLeft`. */
      isOpenEnded: left !== undefined && left.at_most === undefined,
      /** Wall time so far, in seconds. */
      elapsed,
      /** Undefined if no message says which slices are in hand. */
      inHand,
      /** Why the counts of slices mean nothing; undefined if they are meaningful. */
      whyUncounted: assessed.why_uncounted,
      /** The sites of prompt processing. */
      sites: sitesPart(execution, { queries }).sites,
      pace,
      /** Worker slots, if their number is known. */
      slots,
      speed: speed && String(speed),
      retries: detail.slice_retries ?? 0,
      /** The number of slices that failed with no retry left. */
      exhausted: detail.slices_exhausted,
      last: queries.lastMessage(execution_id),
      /** Simulated seconds so far; undefined if no message gives the simulated time. */
      simulated: simulatedNow(queries.lastTick(execution_id), isMoving ? speed : undefined),
      /** The last error that an agent logged. */
      error,
    };
  });

/**
 * Between two messages, simulated time continues at the given speed, even during a pause: a pause holds back
 * the DAQ, not the clock.
 */
function simulatedNow(last: { tick: number; sent_at: string } | undefined, speed: Speed | undefined) {
  if (last === undefined || typeof speed !== 'number') return last?.tick;
  return last.tick + Math.max(0, (Date.now() - Date.parse(last.sent_at)) / 1000) * speed;
}

/** Items per second over the recent past, as observed. */
export type Rates = ReturnType<ReturnType<typeof createRates>>;

/**
 * The time that a rate covers, in milliseconds: long enough for the rate not to jump when all workers finish at
 * the same time.
 */
const windowMilliseconds = 60_000;
/**
 * Slices that take this many seconds or longer end in waves, so a counted rate would zigzag. Their rate is the
 * number of slices in hand divided by the time that one slice takes.
 */
const longSlices = 5;
/** The weight of the newest count in the moving average of slices in hand. */
const smoothing = 0.1;
/** The shortest time over which to show a rate, in milliseconds. */
const minMilliseconds = 1000;

/**
 * Follows an execution and returns its rates. Times are from a monotonic clock, in milliseconds; time while
 * the execution is paused or stalled does not count.
 */
export function createRates() {
  let active = 0;
  let before: number | undefined;
  let busy: number | undefined;
  const stages = { stfs: createRate(), samples: createRate(), slices: createRate() };
  return function add({ execution, health, progress, inHand, pace }: Snapshot, at: number) {
    const usual_seconds = pace?.usual_seconds ?? 0;
    const { count } = inHand ?? { count: 0 };
    busy = busy === undefined ? count : busy + (count - busy) * smoothing;
    if (before !== undefined && health !== 'paused' && health !== 'stalled') active += at - before;
    before = at;
    const counted = stages.slices(progress.slices_final, active);
    return {
      stfs: stages.stfs(progress.stf_ready, active),
      samples: stages.samples(execution.tf_files_received, active),
      slices: usual_seconds < longSlices ? counted : busy / usual_seconds,
    };
  };
}

/**
 * The rate of one stage, from the moments at which its count changed; the time before its first item and
 * after its last does not count.
 */
function createRate(): (count: number, at: number) => number | undefined {
  const changes: { at: number; count: number }[] = [];
  let seen: number | undefined;
  return (count, at) => {
    if (seen !== undefined && count !== seen) changes.push({ at, count });
    seen = count;
    // The oldest remaining change is at least as old as the window's start, so that the rate covers the whole
    // window.
    while (changes.length > 2 && (changes[1]?.at ?? at) <= at - windowMilliseconds) changes.shift();
    const first = changes[0];
    const last = changes.at(-1);
    if (first === undefined || last === undefined || changes.length < 2) return undefined;
    const pace = (last.at - first.at) / (changes.length - 1);
    // If no item has come for twice the usual interval, the stage has become slower or has stopped.
    const until = at - last.at > 2 * pace ? at : last.at;
    return until - first.at < minMilliseconds ? undefined : ((last.count - first.count) / (until - first.at)) * 1000;
  };
}
