import { tickOfFirstStf } from '../domain/daq-schedule.ts';
import { rounded } from '../lib/rounded.ts';
import { type Facts, idleSeconds, payloadLimit, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import type { AgedSlice } from './pace.ts';

/**
 * Whether the workers keep up with the DAQ, or did. Rates are per second of wall time. Figures that do not
 * apply are undefined.
 */
export type Capacity = NonNullable<ReturnType<typeof capacityOf>>;

/**
 * Undefined at full speed, where the DAQ's intervals take no time, and while the time per slice is unknown.
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
  // Nothing more arrives: the workers drain what the DAQ left.
  const isDraining = isRunning && phase === 'completed';
  return {
    /** Time that a worker spends on a slice. */
    service_seconds: rounded(service, 2),
    /** Worker slots; undefined once it cannot be known. */
    workers,
    /**
     * Slices per second that the DAQ causes while it makes STFs; after the end, the measured rate; undefined
     * while the run drains.
     */
    arrival_rate: isDraining ? undefined : rounded(arrival, 2),
    /** Workers that would keep up. */
    workers_needed: isDraining ? undefined : needed,
    keeps_up: isDraining || workers === undefined ? undefined : needed <= workers,
    /** Waiting slices, and the time that the workers need for them; undefined after the end. */
    backlog: isRunning ? counts.slices_queued : undefined,
    backlog_seconds: backlogSeconds(facts, service),
    /** After the end: time that the slices left by the DAQ took. */
    drain_seconds: isRunning ? undefined : drainSeconds(facts),
  };
}

const backlogSeconds = ({ status, counts, slots = 0 }: Facts, service: number) =>
  status === 'running' && slots > 0 ? Math.ceil((counts.slices_queued * service) / slots) : undefined;

/** Slices of an STF, on average, by the plan. */
export function slicesPerStf({ stf_planned, slices_planned, params: { fast_processing, fastmon } }: Facts): number {
  if (stf_planned !== undefined && stf_planned > 0 && slices_planned !== undefined) return slices_planned / stf_planned;
  return fast_processing.stf_sampling_rate * fastmon.tf_samples_per_stf * fast_processing.slices_per_sample;
}

function drainSeconds({ status, phase_changed_at, end_time, idle }: Facts): number | undefined {
  if (status !== 'completed' || phase_changed_at === null || end_time === null) return undefined;
  const end = Date.parse(end_time);
  const lasted = secondsBetween(phase_changed_at, end) - idleSeconds({ idle }, Date.parse(phase_changed_at), end);
  return rounded(Math.max(0, lasted), 2);
}

/**
 * Measured mean seconds between STFs, without times in which none could be made: a run may have had several
 * speeds.
 */
function measuredInterval({ counts, first_stf_at, last_stf_at, idle }: Facts): number | undefined {
  if (first_stf_at === undefined || last_stf_at === undefined || counts.stf_count < 2) return undefined;
  const first = Date.parse(first_stf_at);
  const last = Date.parse(last_stf_at);
  const seconds = (secondsBetween(first_stf_at, last) - idleSeconds({ idle }, first, last)) / (counts.stf_count - 1);
  return seconds <= 0 ? undefined : seconds;
}

const timeAfter = (start: number, seconds: number) => new Date(start + seconds * 1000).toISOString();

/**
 * Moments of an execution as clock times, ISO 8601; undefined if unknown.
 * @param secondsLeft as estimated; undefined if unknown
 */
export const forecastOf = (facts: Facts, secondsLeft: number | undefined) => ({
  /** When it ends, if the time left is known. */
  expected_end: secondsLeft === undefined ? undefined : timeAfter(facts.now, secondsLeft),
  /** When the first slice was made; before that, when the schedule expects it. */
  first_slice_at: facts.first_slice_at ?? expectedFirstSlice(facts),
});

function expectedFirstSlice(facts: Facts): string | undefined {
  const { status, isHeld, driver, params, start_time } = facts;
  if (status !== 'running' || isHeld || driver?.alive === false || params.speed === 'max') return undefined;
  const tick = tickOfFirstStf(params);
  if (tick === undefined || params.fast_processing.stf_sampling_rate === 0) return undefined;
  const at = Date.parse(start_time) + wallSeconds(tick, params) * 1000;
  // It is late, by an unknown time.
  return at < facts.now ? undefined : new Date(at).toISOString();
}

/** How many attempts a slice may have after this one. */
export const attemptsLeft = ({ attempt }: AgedSlice, { params }: Facts) =>
  Math.max(0, params.worker.max_retries + 1 - attempt);

/**
 * When a slice in hand must end by its payload's limit, and when its last attempt must if each takes that
 * long. Undefined without a limit.
 */
export function deadlineOf(slice: AgedSlice, facts: Facts): { deadline: string; worst_end: string } | undefined {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  const begun = Date.parse(slice.since);
  return {
    deadline: timeAfter(begun, limit),
    worst_end: timeAfter(begun, limit * (1 + attemptsLeft(slice, facts))),
  };
}
