import type { Facts } from './facts.ts';

/** Most arrivals of STFs, and most periods, to tell apart: every look at an execution asks for them. */
const maxArrivals = 5000;
const maxPeriods = 5000;

/** The steps that are left to the DAQ. Times are simulated seconds from its last step. */
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

/** The STFs of the remaining physics periods, in order, of very many several at a time, and the standbys, in which workers take no slices. */
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
  // Between two STFs nothing else is said; a period that has just begun has said so first, and one of given duration goes on.
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
    // Of very many periods the next ones count with this one, as if their STFs came at their end.
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
