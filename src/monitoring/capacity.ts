import { tickOfFirstStf } from '../domain/daq-schedule.ts';
import { rounded } from '../lib/rounded.ts';
import { type Facts, idleSeconds, payloadLimit, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import type { AgedSlice } from './pace.ts';

/**
 * Whether the workers keep up with the DAQ or, after the end, whether they kept up. Rates are per second of
 * wall time. Figures that do not apply are undefined.
 */
export type Capacity = NonNullable<ReturnType<typeof capacityOf>>;

/**
 * The capacity of an execution; undefined while the time per slice is unknown, and at full speed, where the
 * DAQ's intervals take no time.
 */
export function capacityOf(facts: Facts) {
  const { params, counts, phase } = facts;
  const { daq_state_machine: daq } = params;
  const interval = wallSeconds(daq.stf_interval + daq.stf_generation_time, params);
  const service = serviceSeconds(facts);
  if (interval === 0 || service === undefined) return undefined;
  const arrival = slicesPerStf(facts) / (facts.status === 'running' ? interval : (measuredInterval(facts) ?? interval));
  const needed = Math.ceil(arrival * service - 1e-9);
  const workers = facts.slots;
  const isRunning = facts.status === 'running';
  // Nothing more arrives: the workers process the slices left at the end of the DAQ.
  const isDraining = isRunning && phase === 'completed';
  return {
    /** The time that a worker spends on a slice. */
    service_seconds: rounded(service, 2),
    /** Number of worker slots; undefined if it can no longer be known. */
    workers,
    /**
     * The slices per second that result from the DAQ's STFs while the DAQ produces them; undefined while the
     * run drains; the measured rate once the execution has ended.
     */
    arrival_rate: isDraining ? undefined : rounded(arrival, 2),
    workers_needed: isDraining ? undefined : needed,
    keeps_up: isDraining || workers === undefined ? undefined : needed <= workers,
    /** Number of waiting slices, and the time that the workers need for them; undefined after the end. */
    backlog: isRunning ? counts.slices_queued : undefined,
    backlog_seconds: backlogSeconds(facts, service),
    /** After the end of the execution: how long it took to process the slices left when the DAQ ended. */
    drain_seconds: isRunning ? undefined : drainSeconds(facts),
  };
}

const backlogSeconds = ({ status, counts, slots = 0 }: Facts, service: number) =>
  status === 'running' && slots > 0 ? Math.ceil((counts.slices_queued * service) / slots) : undefined;

/** The average number of slices per STF according to the plan. */
export function slicesPerStf({ stf_planned, slices_planned, params: { fast_processing, fastmon } }: Facts) {
  if (stf_planned !== undefined && stf_planned > 0 && slices_planned !== undefined) return slices_planned / stf_planned;
  return fast_processing.stf_sampling_rate * fastmon.tf_samples_per_stf * fast_processing.slices_per_sample;
}

function drainSeconds({ status, phase_changed_at, end_time, idle }: Facts) {
  if (status !== 'completed' || phase_changed_at === null || end_time === null) return undefined;
  const end = Date.parse(end_time);
  const lasted = secondsBetween(phase_changed_at, end) - idleSeconds({ idle }, Date.parse(phase_changed_at), end);
  return rounded(Math.max(0, lasted), 2);
}

/**
 * The mean number of seconds between STFs, excluding times in which no STF could be produced. The mean is
 * measured, since a run may have had several speeds.
 */
function measuredInterval({ counts, first_stf_at, last_stf_at, idle }: Facts) {
  if (first_stf_at === undefined || last_stf_at === undefined || counts.stf_count < 2) return undefined;
  const first = Date.parse(first_stf_at);
  const last = Date.parse(last_stf_at);
  const seconds = (secondsBetween(first_stf_at, last) - idleSeconds({ idle }, first, last)) / (counts.stf_count - 1);
  return seconds <= 0 ? undefined : seconds;
}

const timeAfter = (start: number, seconds: number) => new Date(start + seconds * 1000).toISOString();

/**
 * Times of future events of an execution, ISO 8601; undefined if unknown.
 * @param secondsLeft an estimate; undefined if unknown
 */
export const forecastOf = (facts: Facts, secondsLeft: number | undefined) => ({
  expected_end: secondsLeft === undefined ? undefined : timeAfter(facts.now, secondsLeft),
  /** When the first slice was created; before that, when it is expected according to the schedule. */
  first_slice_at: facts.first_slice_at ?? expectedFirstSlice(facts),
});

function expectedFirstSlice(facts: Facts) {
  const { status, isHeld, driver, params, start_time } = facts;
  if (status !== 'running' || isHeld || driver?.alive === false || params.speed === 'max') return undefined;
  const tick = tickOfFirstStf(params);
  if (tick === undefined || params.fast_processing.stf_sampling_rate === 0) return undefined;
  const at = Date.parse(start_time) + wallSeconds(tick, params) * 1000;
  // If the expected time has passed, it is not known how late the first slice will be.
  return at < facts.now ? undefined : new Date(at).toISOString();
}

/** Maximum number of further attempts at a slice. */
export const attemptsLeft = ({ attempt }: AgedSlice, { params }: Facts) =>
  Math.max(0, params.worker.max_retries + 1 - attempt);

/**
 * When a slice in hand must end because of its payload's time limit, and when its last attempt must end if
 * each attempt reaches the limit. Undefined without a limit.
 */
export function deadlineOf(slice: AgedSlice, facts: Facts) {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  const begun = Date.parse(slice.since);
  return {
    deadline: timeAfter(begun, limit),
    worst_end: timeAfter(begun, limit * (1 + attemptsLeft(slice, facts))),
  };
}
