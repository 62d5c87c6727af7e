import { playWork } from '../domain/plan/played-run.ts';
import type { Health } from '../domain/states.ts';
import { attemptsLeft, slicesPerStf } from './capacity.ts';
import { type Facts, delayOf, payloadLimit, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import { type AgedSlice, oldestInHand, overdueSlices, paceOf } from './pace.ts';
import { stageStates } from './stage-states.ts';

/**
 * Estimates the time left in seconds of wall time, with a likely minimum and maximum, from the plan, the
 * schedule and the time that slices have taken so far. Undefined if the time cannot be known: the run is paused
 * by an operator, is stalled or has ended, or continues until it is stopped.
 */
export function timeLeft(facts: Facts, health: Health) {
  const { slices_planned: planned, status, isHeld, params } = facts;
  if (planned === undefined || status !== 'running' || health === 'stalled' || isHeld || isHeldUp(facts))
    return undefined;
  const estimate = params.speed === 'max' ? byRate(facts, planned) : bySchedule(facts, planned);
  return estimate && withOverrun(estimate, facts);
}

/**
 * Whether nobody can say when work will continue: it has waited too long for an agent, or for workers while no
 * slice is in hand.
 */
const isHeldUp = (facts: Facts) =>
  stageStates(facts).some(
    ({ stage, state }) => (stage !== 'worker' || facts.in_hand.length === 0) && (state === 'slow' || state === 'stuck'),
  );

type Estimate = Record<'likely' | 'least' | 'most', number>;

/** The average number of attempts per slice so far, but at most the number allowed. */
const attemptsASlice = ({ slices_final, slice_retries, params }: Facts) =>
  1 + Math.min(params.worker.max_retries, slice_retries / Math.max(1, slices_final));

/** Number of slices left to process, times the average number of attempts per slice. */
const slicesLeft = (facts: Facts, planned: number) => (planned - facts.slices_final) * attemptsASlice(facts);

/**
 * At full speed, the schedule takes no time, so only the rate so far matters. If all slices failed, their
 * rate predicts nothing.
 */
function byRate(facts: Facts, planned: number): Estimate | undefined {
  if (facts.counts.slices_completed === 0) return undefined;
  const rate = facts.slices_final / Math.max(0.001, secondsBetween(facts.start_time, facts.now));
  const likely = slicesLeft(facts, planned) / rate;
  return { likely, least: likely * 0.6, most: likely * 2 };
}

/**
 * Maximum number of slices to simulate one by one. If there are more, several are combined into one that
 * takes as long as all of them. The limit is needed because every assessment runs the simulation.
 */
const maxPlayed = 50_000;

/**
 * Simulates the rest of the run: the schedule of the DAQ, and workers that take the same time for each slice.
 */
function bySchedule(facts: Facts, planned: number): Estimate | undefined {
  const service = serviceSeconds(facts);
  if (service === undefined) return undefined;
  const { in_hand, now, slots = 0 } = facts;
  const left = slicesLeft(facts, planned);
  // As long as there are no slots, it is unknown when work will start.
  if (slots === 0 && left > in_hand.length) return undefined;
  const together = Math.max(1, Math.ceil(left / maxPlayed));
  const { daq, ...arrivals } = ahead(facts, { left, together });
  /** @param part how long a slice takes, as a fraction of the usual time */
  const lastAt = (part: number) => {
    const freeAt = new Float64Array(Math.max(1, slots, in_hand.length));
    for (const [at, { since }] of in_hand.entries())
      freeAt[at] = Math.max(0, part * (service - secondsBetween(since, now)));
    freeAt.sort();
    const inHand = freeAt.at(-1) ?? 0;
    return Math.max(inHand, playWork(arrivals, freeAt, part * service * together).last);
  };
  const likely = Math.max(daq, lastAt(1));
  const p95 = delayOf(facts.delays, 'slice_started → slice_result')?.p95 ?? service;
  return { likely, least: Math.max(daq, lastAt(0.8)), most: likely * 1.25 + p95 };
}

/**
 * When the remaining slices, except those in hand, arrive at workers, and when the DAQ is done, in seconds of
 * wall time from now.
 * @param together how many slices are combined into one
 */
function ahead(facts: Facts, { left, together }: { left: number; together: number }) {
  const { stfs, standbys, end } = daqAhead(facts);
  const since = sinceDaqStep(facts);
  const fromNow = (simulated: number) => Math.max(0, wallSeconds(simulated, facts.params) - since);
  const perStf = slicesPerStf(facts) * attemptsASlice(facts);
  const coming = stfs.reduce((sum, { count }) => sum + count, 0) * perStf;
  const most = Math.max(0, left - facts.in_hand.length);
  // All slices that do not come from future STFs already exist, and are waiting.
  let slices = Math.max(0, Math.round(most - coming));
  const played = () => Math.ceil(slices / together - 1e-6);
  const [ticks, counts] = [[0], [played()]];
  for (const { at, count } of stfs) {
    const before = played();
    slices = Math.min(most, slices + count * perStf);
    ticks.push(fromNow(at));
    counts.push(played() - before);
  }
  const pauses = standbys.map(({ from, to }) => ({ from: fromNow(from), to: fromNow(to) }));
  return { ticks, counts, standbys: pauses, daq: fromNow(end) };
}

/**
 * Nobody knows when a slice that has been in hand for longer than usual will be done. It may take as long
 * again, plus the time that its payload may take in all remaining attempts.
 */
function withOverrun({ likely, least, most }: Estimate, facts: Facts) {
  const pace = paceOf(facts);
  const usual = pace.usual_seconds ?? serviceSeconds(facts) ?? pace.slow_seconds;
  const overrun = Math.max(0, (oldestInHand(facts)?.seconds ?? 0) - usual);
  const longest = overdueSlices(facts, pace).map((slice) => longestStay(slice, facts));
  return {
    seconds_left: Math.ceil(Math.max(likely, overrun)),
    at_least: Math.floor(Math.min(least, likely)),
    /** Undefined if a slice in hand is overdue and has no time limit. */
    at_most: longest.includes(undefined)
      ? undefined
      : Math.ceil(Math.max(most, likely, overrun) + Math.max(0, ...longest.map((one) => one ?? 0))),
  };
}

/** The longest time that a slice may still take, in seconds; undefined if it has no time limit. */
function longestStay(slice: AgedSlice, facts: Facts) {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  return Math.max(0, limit - slice.seconds) + attemptsLeft(slice, facts) * limit;
}

/** The elapsed seconds of the DAQ's current step, but at most the length of the step. */
function sinceDaqStep(facts: Facts) {
  const daq = stageStates(facts)[0];
  return daq === undefined ? 0 : Math.min(daq.idle_seconds, daq.expected_seconds ?? 0);
}

/**
 * Maximum numbers of STF arrivals and of periods to simulate separately, limited because every view of an
 * execution runs the simulation.
 */
const maxArrivals = 5000;
const maxPeriods = 5000;

/** The remaining steps of the DAQ. Times are simulated seconds from its last step. */
export function daqAhead(facts: Facts) {
  const { phase, params } = facts;
  const daq = params.daq_state_machine;
  const ending = daq.broadcast_delay + daq.beam_not_ready_end_delay;
  if (phase === 'completed') return { stfs: [], standbys: [], end: ending };
  const begin = daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay + daq.broadcast_delay;
  const before = phase === 'none' ? daq.no_beam_not_ready_delay + begin : phase === 'imminent' ? begin : 0;
  const { end, ...periods } = periodsAhead(facts, before);
  return { ...periods, end: end + ending };
}

/**
 * The STFs of the remaining physics periods, in order (several at a time if there are very many), and the
 * standbys, during which workers take no slices.
 */
function periodsAhead(facts: Facts, from: number) {
  const daq = facts.params.daq_state_machine;
  const { left, each, inPeriod, isStandbyFirst } = periodsLeft(facts);
  // A period has no interval before its first STF. A period of fixed duration continues after its last STF.
  const step = daq.stf_interval + daq.stf_generation_time;
  const isCounted = facts.params.fast_processing.stf_count > 0;
  const idle = isCounted ? 0 : daq.physics_period_duration - (each * step - daq.stf_interval);
  const standby = 2 * daq.broadcast_delay + daq.standby_duration;
  const together = Math.ceil(left / maxArrivals);
  const [stfs, standbys]: [{ at: number; count: number }[], { from: number; to: number }[]] = [[], []];
  // Times count from the last message. Within a period, that message announced the latest STF or, before the
  // first STF, the period's start. A period of fixed duration continues after its last STF.
  let end = from + (facts.phase !== 'physics' || inPeriod > 0 ? 0 : isStandbyFirst ? idle : daq.broadcast_delay);
  const periods = Math.ceil(left / each - 1e-9);
  const merged = Math.ceil(periods / maxPeriods);
  for (let n = 0; n < periods; n += merged) {
    const isRest = n === 0 && inPeriod > 0;
    const inThis = isRest ? inPeriod : each;
    if (n > 0 || isStandbyFirst) {
      standbys.push({ from: end, to: end + standby - daq.broadcast_delay });
      end += standby;
    }
    const first = end + (isRest ? step : daq.stf_generation_time);
    for (let stf = 0; stf < inThis; stf += together) {
      const count = Math.min(together, inThis - stf);
      stfs.push({ at: first + (stf + count - 1) * step, count });
    }
    end = first + (inThis - 1) * step + idle;
    const more = Math.min(merged, periods - n) - 1;
    if (more === 0) continue;
    // If there are very many periods, merge the next ones into this one, as if their STFs came at its end.
    end += more * (standby + daq.stf_generation_time + (each - 1) * step + idle);
    stfs.push({ at: end, count: more * each });
  }
  return { stfs, standbys, end };
}

/**
 * Number of STFs left in total, in each period, and in the current period if it has begun to produce STFs.
 */
function periodsLeft({ phase, counts, stf_planned = 0, last_stf_at = '', phase_changed_at, params }: Facts) {
  const { stf_count, physics_period_count } = params.fast_processing;
  const left = Math.max(0, stf_planned - counts.stf_count);
  const each = stf_count || Math.max(1, stf_planned / physics_period_count);
  const inPeriod = Math.round(left - Math.floor(left / each + 1e-9) * each);
  const isBefore = phase === 'none' || phase === 'imminent';
  const hasBegun = phase === 'physics' && (inPeriod > 0 || last_stf_at <= (phase_changed_at ?? ''));
  // A standby precedes each period that has not begun; in phase `standby`, the first of these standbys is in
  // progress.
  return { left, each, inPeriod, isStandbyFirst: !(hasBegun || isBefore) };
}
