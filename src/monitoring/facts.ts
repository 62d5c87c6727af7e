import type { Counts } from '../domain/counts.ts';
import { type ExecutionParams, type WorkflowParams, payloadSpecOf } from '../domain/params.ts';
import type { Phase } from '../domain/run-phases.ts';
import type { CountedDelay, StageDelay, StageName } from '../domain/stages.ts';
import type { ExecutionStatus } from '../domain/states.ts';
import { timeWithin } from '../lib/merged-spans.ts';
import type { DriverSpan, Evidence, FailuresInARow } from './evidence.ts';

/** A slice that a worker has started but not finished. */
export interface SliceInHand {
  slice_filename: string;
  assigned_worker: string;
  /** ISO 8601. */
  since: string;
  attempt: number;
  /** Its worker is gone: it is not being processed. */
  isLost: boolean;
}

/** Everything known about an execution at one moment, to judge its health. Times are ISO 8601. */
export interface Facts {
  /** In milliseconds since 1970. */
  now: number;
  /** The same, or the end of the execution. */
  until: number;
  /**
   * How far its newest row is ahead of `now`, in seconds, if beyond the usual clock difference (then no age is
   * known); otherwise 0.
   */
  ahead_seconds: number;
  status: ExecutionStatus;
  phase: Phase;
  start_time: string;
  end_time: string | null;
  phase_changed_at: string | null;
  /** An operator paused it. */
  isHeld: boolean;
  /** As recorded, at the speed of its last driver. */
  params: ExecutionParams;
  /** An earlier driver ran at another speed. */
  hasChangedSpeed: boolean;
  /** Agents of other processes may work on it. */
  isOverBroker: boolean;
  /**
   * When its recorder last lost the broker, ISO 8601; undefined if it is connected, or has none.
   */
  broker_away_since: string | undefined;
  /**
   * Worker slots: as configured within one process, as heard over a broker; undefined once it cannot be
   * known.
   */
  slots: number | undefined;
  counts: Counts;
  stfs_ready: number;
  samples_expected: number;
  /** Samples of STFs that are not ready. */
  samples_of_unready: number;
  slices_expected: number;
  /** Planned STFs of the whole run; undefined for a run that continues until stopped. */
  stf_planned: number | undefined;
  slices_planned: number | undefined;
  slices_final: number;
  /** Attempts that followed a failure. */
  slice_retries: number;
  delays: readonly CountedDelay[];
  first_stf_at: string | undefined;
  last_stf_at: string | undefined;
  /** When each stage's longest-waiting item arrived; absent if nothing waits or it is unknown. */
  waiting_since: Readonly<Partial<Record<'data' | 'fastmon' | 'fast_processing' | 'worker', string | undefined>>>;
  /**
   * The most recent standby periods, during which workers start nothing. Milliseconds since 1970; `end` is undefined
   * while it lasts.
   */
  standbys: readonly { start: number; end: number | undefined }[];
  /** When the first slice was made. */
  first_slice_at: string | undefined;
  /** Attempts that ended since the last slice was done, if any. */
  failing: FailuresInARow | undefined;
  /**
   * For an ended execution: the periods when nothing could progress: it was paused or between two physics periods,
   * or had no driver. Milliseconds since 1970.
   */
  idle: readonly { from: number; until: number }[];
  /** Slices being processed by live workers, oldest first. */
  in_hand: readonly SliceInHand[];
  /** Over a broker: slices of other executions held by workers of the namespace. */
  others_in_hand: number;
  /** Slices held by workers that are gone. */
  lost: readonly SliceInHand[];
  /** The process that drives it; undefined for an execution that was never driven from this store. */
  driver: { alive: boolean; silent: boolean; /** ISO 8601. */ since: string } | undefined;
}

/** Seconds from one time (ISO 8601) to another (milliseconds since 1970); 0 if the first is later. */
export const secondsBetween = (from: string, to: number) => Math.max(0, (to - Date.parse(from)) / 1000);

/** Seconds of a period (milliseconds since 1970) in which nothing could progress. */
export const idleSeconds = ({ idle }: Pick<Facts, 'idle'>, from: number, until: number) =>
  timeWithin(idle, from, until) / 1000;

/** Simulated seconds converted to wall time; 0 at full speed. */
export const wallSeconds = (simulated: number, { speed }: WorkflowParams) => (speed === 'max' ? 0 : simulated / speed);

export const delayOf = <Delay extends StageDelay>(delays: readonly Delay[], stage: StageName) =>
  delays.find((delay) => delay.stage === stage);

/** How long a payload command may take, in seconds of wall time; undefined for the placeholder. */
export const payloadLimit = ({ params }: Facts) => payloadSpecOf(params).limit_seconds;

/**
 * Time that a worker spends on a slice, in seconds of wall time: as observed, else as planned. Undefined for
 * a payload command until one completes a slice: a failure may take any part of that time.
 */
export function serviceSeconds(facts: Facts): number | undefined {
  const observed = delayOf(facts.delays, 'slice_started → slice_result');
  const isPayload = payloadSpecOf(facts.params).kind !== 'placeholder';
  if (facts.hasChangedSpeed && !isPayload) return plannedSeconds(facts);
  if (observed !== undefined && (observed.items >= 3 || isPayload)) return observed.mean;
  return isPayload ? undefined : plannedSeconds(facts);
}

const plannedSeconds = ({ params }: Facts) => wallSeconds(params.fast_processing.slice_processing_time, params);

/**
 * The periods in which an execution had no driver, oldest first, each with the user who took it over. Times
 * are ISO 8601.
 */
export const driverGaps = (drivers: readonly DriverSpan[]) =>
  drivers.flatMap(({ since: to, by }, index) => {
    const from = drivers[index - 1]?.until;
    if (from === undefined) return [];
    // The clocks of two hosts may make it negative.
    return [{ from, to, by, seconds: Math.max(0, Date.parse(to) - Date.parse(from)) / 1000 }];
  });

export const downSeconds = (gaps: ReturnType<typeof driverGaps>) => gaps.reduce((sum, { seconds }) => sum + seconds, 0);

/** The state of the slices of an execution. */
export interface SliceFacts
  extends
    Pick<
      Evidence,
      | 'execution_id'
      | 'failed'
      | 'first_failure'
      | 'causes'
      | 'concentration'
      | 'by_worker'
      | 'slowest'
      | 'slow_slots'
      | 'slower'
    >,
    Pick<Facts, 'status' | 'counts' | 'failing' | 'until'> {
  delays: readonly StageDelay[];
}
