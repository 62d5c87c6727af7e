import { type Arrivals, playWork } from '../domain/plan/played-run.ts';
import type { Health } from '../domain/states.ts';
import { attemptsLeft, slicesPerStf } from './capacity.ts';
import { type Facts, delayOf, payloadLimit, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import { type AgedSlice, oldestInHand, overdueSlices, paceOf } from './pace.ts';
import { stageStates } from './stage-states.ts';

/**
 * Estimates the time left in seconds of wall time, with the least and the most that is likely: from the plan,
 * the schedule and the time that slices have taken so far. Undefined if it cannot be known: the run runs until
 * stopped, an operator has paused it, or it is stalled or has ended.
 */
export function timeLeft(facts: Facts, health: Health) {
  const { slices_planned: planned, status, isHeld, params } = facts;
  if (planned === undefined || status !== 'running' || health === 'stalled' || isHeld || isHeldUp(facts))
    return undefined;
  const estimate = params.speed === 'max' ? byRate(facts, planned) : bySchedule(facts, planned);
  return estimate === undefined ? undefined : withOverrun(estimate, facts);
}

/** Files wait for an agent that has been idle for long: it is not known when it will continue. */
const isHeldUp = (facts: Facts) =>
  stageStates(facts).some(({ stage, state }) => stage !== 'worker' && (state === 'slow' || state === 'stuck'));

type Estimate = Record<'likely' | 'least' | 'most', number>;

/** Attempts that a slice has taken so far, on average; no more than it may have. */
const attemptsASlice = ({ slices_final, slice_retries, params }: Facts) =>
  1 + Math.min(params.worker.max_retries, slice_retries / Math.max(1, slices_final));

/** Slices left to process, counting a retried slice twice. */
const slicesLeft = (facts: Facts, planned: number) => (planned - facts.slices_final) * attemptsASlice(facts);

/**
 * At full speed the schedule takes no time, so only the rate so far counts; a rate of failures alone predicts
 * nothing.
 */
function byRate(facts: Facts, planned: number): Estimate | undefined {
  if (facts.counts.slices_completed === 0) return undefined;
  const rate = facts.slices_final / Math.max(0.001, secondsBetween(facts.start_time, facts.now));
  const likely = slicesLeft(facts, planned) / rate;
  return { likely, least: likely * 0.6, most: likely * 2 };
}

/**
 * Most slices to play one by one; of more, several count as one that takes as much longer. Every assessment
 * of an execution plays them.
 */
const maxPlayed = 50_000;

/** Plays what is left on: the schedule of the DAQ, and workers that take equally long for each slice. */
function bySchedule(facts: Facts, planned: number): Estimate | undefined {
  const service = serviceSeconds(facts);
  if (service === undefined) return undefined;
  const { in_hand, now, slots = 0 } = facts;
  const left = slicesLeft(facts, planned);
  // It is not known when a worker will start.
  if (slots === 0 && left > in_hand.length) return undefined;
  const together = Math.max(1, Math.ceil(left / maxPlayed));
  const { daq, ...arrivals } = ahead(facts, { left, together });
  /** @param part of the usual time that a slice takes */
  const lastAt = (part: number): number => {
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
 * The slices that are left without those in hand, as they arrive at workers, and when the DAQ is done, in
 * seconds of wall time from now.
 * @param together how many slices count as one
 */
function ahead(facts: Facts, { left, together }: { left: number; together: number }): Arrivals & { daq: number } {
  const { stfs, standbys, end } = daqAhead(facts);
  const since = sinceDaqStep(facts);
  const fromNow = (simulated: number) => Math.max(0, wallSeconds(simulated, facts.params) - since);
  const perStf = slicesPerStf(facts) * attemptsASlice(facts);
  const coming = stfs.reduce((sum, { count }) => sum + count, 0) * perStf;
  const most = Math.max(0, left - facts.in_hand.length);
  // Slices that already exist are waiting now.
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
 * A slice in hand for longer than usual does not show when it will end: it may take as long again, and as
 * much longer as its payload may take in all remaining attempts.
 */
function withOverrun({ likely, least, most }: Estimate, facts: Facts) {
  const pace = paceOf(facts);
  const usual = pace.usual_seconds ?? serviceSeconds(facts) ?? pace.slow_seconds;
  const overrun = Math.max(0, (oldestInHand(facts)?.seconds ?? 0) - usual);
  const longest = overdueSlices(facts, pace).map((slice) => longestStay(slice, facts));
  return {
    seconds_left: Math.ceil(Math.max(likely, overrun)),
    at_least: Math.floor(Math.min(least, likely)),
    /** Undefined if it cannot be known: a slice in hand is overdue, and nothing ends it. */
    at_most: longest.includes(undefined)
      ? undefined
      : Math.ceil(Math.max(most, likely, overrun) + Math.max(0, ...longest.map((one) => one ?? 0))),
  };
}

/** The longest that a slice may still take, in seconds; undefined if nothing ends it. */
function longestStay(slice: AgedSlice, facts: Facts): number | undefined {
  const limit = payloadLimit(facts);
  if (limit === undefined) return undefined;
  return Math.max(0, limit - slice.seconds) + attemptsLeft(slice, facts) * limit;
}

/** Elapsed seconds of the DAQ's current step, at most as long as one step takes. */
function sinceDaqStep(facts: Facts): number {
  const daq = stageStates(facts)[0];
  return daq === undefined ? 0 : Math.min(daq.idle_seconds, daq.expected_seconds ?? 0);
}

/** Most arrivals of STFs, and most periods, to count separately: every view of an execution requests them. */
const maxArrivals = 5000;
const maxPeriods = 5000;

/** The remaining steps of the DAQ. Times are simulated seconds from its last step. */
export function daqAhead(facts: Facts): ReturnType<typeof periodsAhead> {
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
 * standbys, in which workers take no slices.
 */
function periodsAhead(facts: Facts, from: number) {
  const daq = facts.params.daq_state_machine;
  const { left, each, inPeriod, isStandbyFirst } = periodsLeft(facts);
  // A period has no interval before its first STF; a period of given duration continues after its last.
  const step = daq.stf_interval + daq.stf_generation_time;
  const isCounted = facts.params.fast_processing.stf_count > 0;
  const idle = isCounted ? 0 : daq.physics_period_duration - (each * step - daq.stf_interval);
  const standby = 2 * daq.broadcast_delay + daq.standby_duration;
  const together = Math.ceil(left / maxArrivals);
  const [stfs, standbys]: [{ at: number; count: number }[], { from: number; to: number }[]] = [[], []];
  // Between two STFs no other message is sent; a period that has just begun was announced first, and one of
  // given duration is still running.
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
    // If there are very many periods, the next ones count with this one, as if their STFs came at its end.
    end += more * (standby + daq.stf_generation_time + (each - 1) * step + idle);
    stfs.push({ at: end, count: more * each });
  }
  return { stfs, standbys, end };
}

/** STFs left: in all, in each period, in the current one if it has begun to make them. */
function periodsLeft({ phase, counts, stf_planned = 0, last_stf_at = '', phase_changed_at, params }: Facts) {
  const { stf_count, physics_period_count } = params.fast_processing;
  const left = Math.max(0, stf_planned - counts.stf_count);
  const each = stf_count || Math.max(1, stf_planned / physics_period_count);
  const inPeriod = Math.round(left - Math.floor(left / each + 1e-9) * each);
  const isBefore = phase === 'none' || phase === 'imminent';
  const hasBegun = phase === 'physics' && (inPeriod > 0 || last_stf_at <= (phase_changed_at ?? ''));
  // A standby precedes each period that has not begun; in phase standby it is in progress.
  return { left, each, inPeriod, isStandbyFirst: !(hasBegun || isBefore) };
}
