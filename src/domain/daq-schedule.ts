import { exactOrUndefined } from './fractions.ts';
import type { WorkflowParams } from './params.ts';

/**
 * The DAQ's schedule as a pure function: the parameters and the messages so far determine the simulator's next
 * message and its time. States and delays are those of the testbed's DAQ state machine: no beam →
 * `run_imminent` → beam not ready → beam ready → `start_run` → physics periods with standby in between →
 * `end_run`.
 *
 * An STF is announced once it has been generated. A `period` pause ends a physics period; an `operator` pause
 * stops the schedule's clock until its `resume_run`.
 */
export type DaqStep =
  | { msg_type: 'run_imminent' | 'start_run' }
  | { msg_type: 'stf_gen'; sequence: number }
  | { msg_type: 'pause_run' | 'resume_run'; ordinal: number; reason: 'period' | 'operator' }
  | { msg_type: 'end_run'; total_stf_files: number };

export type TimedStep = DaqStep & { tick: number };

export interface DaqPosition {
  /** The last step other than an operator pause. The length of later operator pauses is added to its tick. */
  last?: TimedStep;
  /** When the current physics period began to produce STFs. */
  periodStart: number;
  /** Number of physics periods begun. */
  periods: number;
  stfsInPeriod: number;
  stfs: number;
  /** The ordinal of the last pause or resume. */
  ordinal: number;
  /** When an operator paused the run, if it is paused. */
  pausedAt?: number;
}

export const startPosition: DaqPosition = { periodStart: 0, periods: 0, stfsInPeriod: 0, stfs: 0, ordinal: 0 };

/** The position after the simulator's next message. */
export function advance(position: DaqPosition, step: TimedStep, params: WorkflowParams): DaqPosition {
  const { broadcast_delay } = params.daq_state_machine;
  switch (step.msg_type) {
    case 'run_imminent':
    case 'end_run':
      return { ...position, last: step };
    case 'start_run':
      return { ...position, last: step, periods: 1, stfsInPeriod: 0, periodStart: step.tick + broadcast_delay };
    case 'stf_gen':
      // `end_run` has already counted this STF: the store lost the STF's row, and the STF is sent again.
      if (position.last?.msg_type === 'end_run') return { ...position, stfs: Math.max(position.stfs, step.sequence) };
      return { ...position, last: step, stfs: step.sequence, stfsInPeriod: position.stfsInPeriod + 1 };
    case 'pause_run':
      if (step.reason === 'operator') return { ...position, ordinal: step.ordinal, pausedAt: step.tick };
      return { ...position, last: step, ordinal: step.ordinal };
    case 'resume_run': {
      const { pausedAt, ...rest } = position;
      if (step.reason === 'operator')
        return shift({ ...rest, ordinal: step.ordinal }, step.tick - (pausedAt ?? step.tick));
      return {
        ...rest,
        last: step,
        ordinal: step.ordinal,
        periods: position.periods + 1,
        stfsInPeriod: 0,
        periodStart: step.tick + broadcast_delay,
      };
    }
  }
}

/** Moves the schedule's clock by `by` seconds. */
function shift(position: DaqPosition, by: number): DaqPosition {
  const { last } = position;
  if (last === undefined) return position;
  return { ...position, last: { ...last, tick: last.tick + by }, periodStart: position.periodStart + by };
}

/** When the first STF is announced, in seconds from the start; undefined if there are no STFs. */
export function tickOfFirstStf(params: WorkflowParams) {
  let position = startPosition;
  for (;;) {
    const step = nextStep(position, params);
    if (step.msg_type === 'stf_gen') return step.tick;
    if (step.msg_type === 'finished' || step.msg_type === 'end_run') return undefined;
    position = advance(position, step, params);
  }
}

/**
 * The simulator's next step and its tick, or `finished` with the tick at which the DAQ is done. While an
 * operator pauses the run, the next step is the `resume_run`, which has no planned time (`tick` is Infinity).
 */
export function nextStep(
  position: DaqPosition,
  params: WorkflowParams,
): TimedStep | { msg_type: 'finished'; tick: number } {
  const daq = params.daq_state_machine;
  const { last } = position;
  if (position.pausedAt !== undefined)
    return { msg_type: 'resume_run', ordinal: position.ordinal + 1, reason: 'operator', tick: Infinity };
  switch (last?.msg_type) {
    case undefined:
      return { msg_type: 'run_imminent', tick: daq.no_beam_not_ready_delay };
    case 'run_imminent':
      return {
        msg_type: 'start_run',
        tick: last.tick + daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay,
      };
    case 'start_run':
    case 'resume_run':
    case 'stf_gen':
      return nextInPhysics(position, params);
    case 'pause_run':
      return {
        msg_type: 'resume_run',
        ordinal: position.ordinal + 1,
        reason: 'period',
        tick: last.tick + daq.broadcast_delay + daq.standby_duration,
      };
    case 'end_run':
      // After a power cut, the broker may still have the run's `end_run` although the store has lost earlier
      // STFs.
      if (position.stfs < last.total_stf_files)
        return { msg_type: 'stf_gen', sequence: position.stfs + 1, tick: last.tick };
      return { msg_type: 'finished', tick: last.tick + daq.broadcast_delay + daq.beam_not_ready_end_delay };
  }
}

function nextInPhysics(position: DaqPosition, params: WorkflowParams): TimedStep {
  const { stf_count, physics_period_count } = params.fast_processing;
  const daq = params.daq_state_machine;
  const nextStf =
    position.periodStart +
    position.stfsInPeriod * (daq.stf_interval + daq.stf_generation_time) +
    daq.stf_generation_time;
  const durationEnd = position.periodStart + daq.physics_period_duration;
  // A rounding error must not exclude the last STF that just fits into a period.
  const fits = stf_count > 0 ? position.stfsInPeriod < stf_count : nextStf <= durationEnd + 1e-9;
  if (fits) return { msg_type: 'stf_gen', sequence: position.stfs + 1, tick: nextStf };

  const tick = stf_count > 0 ? (position.last?.tick ?? position.periodStart) : durationEnd;
  if (physics_period_count > 0 && position.periods >= physics_period_count)
    return { msg_type: 'end_run', total_stf_files: position.stfs, tick };
  return { msg_type: 'pause_run', ordinal: position.ordinal + 1, reason: 'period', tick };
}

/** Number of STFs in the whole run, or undefined if it continues until it is stopped. */
export function plannedStfCount(params: WorkflowParams) {
  const { stf_count, physics_period_count } = params.fast_processing;
  const daq = params.daq_state_machine;
  if (physics_period_count === 0) return undefined;
  if (stf_count > 0) return exactOrUndefined(stf_count * physics_period_count);
  const each = daq.stf_interval + daq.stf_generation_time;
  const fitting = Math.floor((daq.physics_period_duration - daq.stf_generation_time + 1e-9) / each) + 1;
  return exactOrUndefined(Math.max(0, fitting) * physics_period_count);
}
