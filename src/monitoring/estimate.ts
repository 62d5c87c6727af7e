import type { Health } from '../domain/states.ts';
import { delayOf, type Facts, payloadLimit, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import { type AgedSlice, oldestInHand, overdueSlices, paceOf } from './pace.ts';
import { stageStates } from './stage-states.ts';

/** Time left for an execution in seconds of wall time, with the least and the most that is likely. */
export interface TimeLeft {
  seconds_left: number;
  at_least: number;
  /** Undefined if nobody can tell: a slice in hand is overdue, and nothing ends it. */
  at_most: number | undefined;
}

/**
 * Estimates the time left from the plan, the schedule and the time that slices have taken so far. Undefined if it cannot be known: the run
 * goes on until stopped, an operator has paused it, or it is stalled or over.
 */
export function timeLeft(facts: Facts, health: Health): TimeLeft | undefined {
  if (facts.slices_planned === undefined || !isUnderWay(facts, health)) return undefined;
  const planned =
    facts.params.speed === 'max' ? byRate(facts, facts.slices_planned) : bySchedule(facts, facts.slices_planned);
  return planned === undefined ? undefined : withOverrun(planned, facts);
}

interface Estimate {
  likely: number;
  least: number;
  most: number;
}

/** Slices left to process, counting a retried slice twice. */
const slicesLeft = ({ slices_final, slice_retries }: Facts, planned: number): number =>
  (planned - slices_final) * (1 + slice_retries / Math.max(1, slices_final));

/** At full speed the schedule takes no time, so only the rate so far counts. */
function byRate(facts: Facts, planned: number): Estimate | undefined {
  const rate = facts.slices_final / Math.max(0.001, secondsBetween(facts.start_time, facts.now));
  if (rate === 0) return undefined;
  const likely = slicesLeft(facts, planned) / rate;
  return { likely, least: likely * 0.6, most: likely * 2 };
}

function bySchedule(facts: Facts, planned: number): Estimate | undefined {
  const service = serviceSeconds(facts);
  if (service === undefined) return undefined;
  const { params, in_hand, now, slots = 0 } = facts;
  const left = slicesLeft(facts, planned);
  const daq = Math.max(0, wallSeconds(daqSecondsLeft(facts), params) - sinceDaqStep(facts));
  const inHand = Math.min(left, in_hand.length);
  // Nobody knows when a worker comes.
  if (slots === 0 && left > inHand) return undefined;
  const workers = Math.max(1, slots);
  const ages = in_hand.map(({ since }) => secondsBetween(since, now));
  const age = ages.reduce((sum, one) => sum + one, 0) / Math.max(1, ages.length);
  const rest = Math.max(0, service - age);
  // With all workers busy, slices go through in waves, one of which is in progress.
  const waves = Math.ceil((left - inHand) / workers) * service + (inHand > 0 ? rest : 0);
  // The last STF's slices come when the DAQ is nearly done.
  const isMaking = facts.phase !== 'completed' && left > inHand;
  const likely = Math.max(daq + (isMaking ? service : 0), waves);
  const least = Math.max(daq, ((left - inHand) / workers) * service * 0.8 + (inHand > 0 ? rest * 0.8 : 0));
  const p95 = delayOf(facts, 'slice_started → slice_result')?.p95 ?? service;
  return { likely, least, most: likely * 1.25 + p95 };
}

/**
 * A slice in hand for longer than usual does not show when it will end: it may take as long again, and as much longer as its payload may
 * take in all remaining attempts.
 */
function withOverrun({ likely, least, most }: Estimate, facts: Facts): TimeLeft {
  const pace = paceOf(facts);
  const usual = pace.usual_seconds ?? serviceSeconds(facts) ?? pace.slow_seconds;
  const overrun = Math.max(0, (oldestInHand(facts)?.seconds ?? 0) - usual);
  const longest = overdueSlices(facts, pace).map((slice) => longestStay(slice, facts));
  const unknown = longest.includes(undefined);
  return {
    seconds_left: Math.ceil(Math.max(likely, overrun)),
    at_least: Math.floor(Math.min(least, likely)),
    at_most: unknown
      ? undefined
      : Math.ceil(Math.max(most, likely, overrun) + Math.max(0, ...longest.map((one) => one ?? 0))),
  };
}

/** The longest that a slice may still take, in seconds; undefined if nothing ends it. */
function longestStay({ seconds, attempt }: AgedSlice, facts: Facts): number | undefined {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  const attemptsLeft = Math.max(0, facts.params.worker.max_retries + 1 - attempt);
  return Math.max(0, limit - seconds) + attemptsLeft * limit;
}

const isUnderWay = ({ status, isHeld }: Facts, health: Health): boolean =>
  status === 'running' && health !== 'stalled' && !isHeld;

/** Elapsed seconds of the DAQ's current step, at most as long as one step takes. */
function sinceDaqStep(facts: Facts): number {
  const daq = stageStates(facts)[0];
  return daq === undefined ? 0 : Math.min(daq.idle_seconds, daq.expected_seconds);
}

/** Simulated seconds from the DAQ's last step until it is done. */
function daqSecondsLeft(facts: Facts): number {
  const { phase, params } = facts;
  const daq = params.daq_state_machine;
  const end = daq.broadcast_delay + daq.beam_not_ready_end_delay;
  if (phase === 'completed') return end;
  const begin = daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay + daq.broadcast_delay;
  const before = phase === 'none' ? daq.no_beam_not_ready_delay + begin : phase === 'imminent' ? begin : 0;
  return before + periodsSecondsLeft(facts) + end;
}

/** Simulated seconds of the remaining physics periods, with the standby between them. */
function periodsSecondsLeft(facts: Facts): number {
  const { phase, counts, stf_planned = 0, last_stf_at = '', phase_changed_at } = facts;
  const { fast_processing, daq_state_machine: daq } = facts.params;
  const left = Math.max(0, stf_planned - counts.stf_count);
  const each = fast_processing.stf_count || Math.max(1, stf_planned / fast_processing.physics_period_count);
  // A period has no interval before its first STF; a period of given duration continues after its last.
  const step = daq.stf_interval + daq.stf_generation_time;
  const making = each * step - daq.stf_interval;
  const period = fast_processing.stf_count > 0 ? making : daq.physics_period_duration;
  const untouched = Math.floor(left / each + 1e-9);
  const inPeriod = Math.round(left - untouched * each);
  // A standby precedes each period that has not begun; in phase standby it is in progress.
  const isBefore = phase === 'none' || phase === 'imminent';
  const hasBegun = phase === 'physics' && (inPeriod > 0 || last_stf_at <= (phase_changed_at ?? ''));
  const standbys = Math.max(0, Math.ceil(left / each - 1e-9) - (hasBegun || isBefore ? 1 : 0));
  return (
    (inPeriod > 0 ? inPeriod * step + period - making : 0) +
    untouched * period +
    standbys * (2 * daq.broadcast_delay + daq.standby_duration)
  );
}
