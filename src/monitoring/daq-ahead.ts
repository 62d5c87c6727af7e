import type { Facts } from './facts.ts';

/** The steps that are left to the DAQ. Times are simulated seconds from its last step. */
export interface DaqAhead {
  /** When each STF comes. */
  stfs: readonly number[];
  /** When workers take no slices. */
  standbys: readonly { from: number; to: number }[];
  /** When it is done. */
  end: number;
}

/** The steps that are left to the DAQ by its schedule. */
export function daqAhead(facts: Facts): DaqAhead {
  const { phase, params } = facts;
  const daq = params.daq_state_machine;
  const ending = daq.broadcast_delay + daq.beam_not_ready_end_delay;
  if (phase === 'completed') return { stfs: [], standbys: [], end: ending };
  const begin = daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay + daq.broadcast_delay;
  const before = phase === 'none' ? daq.no_beam_not_ready_delay + begin : phase === 'imminent' ? begin : 0;
  const { end, ...periods } = periodsAhead(facts, before);
  return { ...periods, end: end + ending };
}

/** The remaining physics periods, with the standby between them. */
function periodsAhead(facts: Facts, from: number): DaqAhead {
  const daq = facts.params.daq_state_machine;
  const { left, each, inPeriod, isStandbyFirst } = periodsLeft(facts);
  // A period has no interval before its first STF; a period of given duration continues after its last.
  const step = daq.stf_interval + daq.stf_generation_time;
  const isCounted = facts.params.fast_processing.stf_count > 0;
  const idle = daq.physics_period_duration - (each * step - daq.stf_interval);
  const [stfs, standbys]: [number[], { from: number; to: number }[]] = [[], []];
  let end = from;
  for (let n = 0; n < Math.ceil(left / each - 1e-9); n += 1) {
    if (n > 0 || isStandbyFirst) {
      standbys.push({ from: end, to: end + daq.broadcast_delay + daq.standby_duration });
      end += 2 * daq.broadcast_delay + daq.standby_duration;
    }
    const isRest = n === 0 && inPeriod > 0;
    const first = end + (isRest ? step : daq.stf_generation_time);
    const count = isRest ? inPeriod : each;
    for (let stf = 0; stf < count; stf += 1) stfs.push(first + stf * step);
    end = first + (count - 1) * step + (isCounted ? 0 : idle);
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
