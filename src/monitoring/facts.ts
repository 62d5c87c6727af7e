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
  /** Whether the worker is gone, so that nothing is processing the slice. */
  isLost: boolean;
}

/** Everything known at one moment about an execution, for judging its health. Times are ISO 8601. */
export interface Facts {
  /** In milliseconds since 1970. */
  now: number;
  /** `now`, or the end of an ended execution. */
  until: number;
  /**
   * The seconds by which the execution's newest row is ahead of `now`, if that exceeds the usual difference
   * between clocks (ages are unknown in that case); otherwise 0.
   */
  ahead_seconds: number;
  status: ExecutionStatus;
  phase: Phase;
  start_time: string;
  end_time: string | null;
  phase_changed_at: string | null;
  /** Whether an operator has paused the execution. */
  isHeld: boolean;
  /** The recorded parameters, with the speed of the last driver. */
  params: ExecutionParams;
  /** Whether an earlier driver ran at another speed. */
  hasChangedSpeed: boolean;
  /** Whether agents in other processes may work on the execution. */
  isOverBroker: boolean;
  /**
   * When the recorder last lost its broker, ISO 8601; undefined if the recorder is connected or has no
   * broker.
   */
  broker_away_since: string | undefined;
  /**
   * Number of worker slots: as configured within one process, or as reported over a broker; undefined if it can
   * no longer be known.
   */
  slots: number | undefined;
  counts: Counts;
  stfs_ready: number;
  samples_expected: number;
  /** Number of samples from STFs that are not ready. */
  samples_of_unready: number;
  slices_expected: number;
  /** The planned number of STFs in the whole run; undefined for a run that continues until it is stopped. */
  stf_planned: number | undefined;
  slices_planned: number | undefined;
  slices_final: number;
  /** Number of attempts that followed a failure. */
  slice_retries: number;
  delays: readonly CountedDelay[];
  first_stf_at: string | undefined;
  last_stf_at: string | undefined;
  /** When the longest-waiting item of each stage arrived; absent if nothing is waiting or the time is unknown. */
  waiting_since: Readonly<Partial<Record<'data' | 'fastmon' | 'fast_processing' | 'worker', string | undefined>>>;
  /**
   * The most recent standby periods, during which workers start nothing. Milliseconds since 1970; `end` is
   * undefined during a standby.
   */
  standbys: readonly { start: number; end: number | undefined }[];
  first_slice_at: string | undefined;
  /** The attempts that have ended since the last slice was done, if any. */
  failing: FailuresInARow | undefined;
  /**
   * For an ended execution: the periods in which nothing could progress because it was paused, was between
   * two physics periods, or had no driver. Milliseconds since 1970.
   */
  idle: readonly { from: number; until: number }[];
  /** Slices that live workers are processing, oldest first. */
  in_hand: readonly SliceInHand[];
  /** Over a broker: the number of slices from other executions that workers in the namespace have in hand. */
  others_in_hand: number;
  lost: readonly SliceInHand[];
  /** The process that drives the execution; undefined if it was never driven from this store. */
  driver: { alive: boolean; silent: boolean; /** ISO 8601. */ since: string } | undefined;
}

/** Seconds from one time (ISO 8601) to another (milliseconds since 1970); 0 if the first time is later. */
export const secondsBetween = (from: string, to: number) => Math.max(0, (to - Date.parse(from)) / 1000);

/** The number of seconds, between two times (milliseconds since 1970), in which nothing could progress. */
export const idleSeconds = ({ idle }: Pick<Facts, 'idle'>, from: number, until: number) =>
  timeWithin(idle, from, until) / 1000;

/** Simulated seconds converted to wall time; 0 at full speed. */
export const wallSeconds = (simulated: number, { speed }: WorkflowParams) => (speed === 'max' ? 0 : simulated / speed);

export const delayOf = <Delay extends StageDelay>(delays: readonly Delay[], stage: StageName) =>
  delays.find((delay) => delay.stage === stage);

/** Maximum duration of a payload command, in seconds of wall time; undefined for the placeholder. */
export const payloadLimit = ({ params }: Facts) => payloadSpecOf(params).limit_seconds;

/**
 * The time that a worker spends on a slice, in seconds of wall time, as observed or else as planned.
 * Undefined for a payload command until a slice has completed, since failures do not show how long a success
 * takes.
 */
export function serviceSeconds(facts: Facts) {
  const observed = delayOf(facts.delays, 'slice_started → slice_result');
  const isPayload = payloadSpecOf(facts.params).kind !== 'placeholder';
  if (facts.hasChangedSpeed && !isPayload) return plannedSeconds(facts);
  if (observed !== undefined && (observed.items >= 3 || isPayload)) return observed.mean;
  return isPayload ? undefined : plannedSeconds(facts);
}

const plannedSeconds = ({ params }: Facts) => wallSeconds(params.fast_processing.slice_processing_time, params);

/**
 * The periods in which an execution had no driver, oldest first, each with the user who resumed the execution.
 * Times are ISO 8601.
 */
export const driverGaps = (drivers: readonly DriverSpan[]) =>
  drivers.flatMap(({ since: to, by }, index) => {
    const from = drivers[index - 1]?.until;
    if (from === undefined) return [];
    // The difference may be negative, since the clocks of two hosts may differ.
    return [{ from, to, by, seconds: Math.max(0, Date.parse(to) - Date.parse(from)) / 1000 }];
  });

export const downSeconds = (gaps: ReturnType<typeof driverGaps>) => gaps.reduce((sum, { seconds }) => sum + seconds, 0);

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
    Pick<Facts, 'status' | 'ahead_seconds' | 'counts' | 'failing' | 'until'> {
  delays: readonly StageDelay[];
}
