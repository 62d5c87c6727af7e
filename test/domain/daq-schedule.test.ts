import { describe, expect, it } from 'vitest';

import {
  advance,
  type DaqPosition,
  nextStep,
  plannedStfCount,
  startPosition,
  type TimedStep,
} from '../../src/domain/daq-schedule.ts';
import { workflowParamsSchema } from '../../src/domain/params.ts';

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** All steps of a schedule, as `msg_type@tick`, and the tick at which it is over. */
function play(settings: { fast_processing?: object; daq_state_machine?: object }, from: DaqPosition = startPosition) {
  const params = workflowParamsSchema.parse(settings);
  let position = from;
  const steps: string[] = [];
  for (let count = 0; count < 10_000; count += 1) {
    const step = nextStep(position, params);
    steps.push(`${step.msg_type}@${round(step.tick)}`);
    if (step.msg_type === 'finished') return { steps, stfs: position.stfs };
    position = advance(position, step, params);
  }
  throw new Error('the schedule has no end');
}

describe('the DAQ schedule', () => {
  it('has the default states and delays for one period of three STFs', () => {
    expect(play({ fast_processing: { stf_count: 3 } }).steps).toEqual([
      'run_imminent@5',
      'start_run@13',
      'stf_gen@14.1',
      'stf_gen@16.2',
      'stf_gen@18.3',
      'end_run@18.3',
      'finished@24.3',
    ]);
  });

  it('makes the missing STFs if the end of the run is already on record', () => {
    const lost: TimedStep[] = [
      { msg_type: 'run_imminent', tick: 5 },
      { msg_type: 'start_run', tick: 13 },
      { msg_type: 'stf_gen', sequence: 1, tick: 14.1 },
      { msg_type: 'end_run', total_stf_files: 3, tick: 18.3 },
    ];
    const params = workflowParamsSchema.parse({ fast_processing: { stf_count: 3 } });
    const position = lost.reduce((before, step) => advance(before, step, params), startPosition);
    expect(play({ fast_processing: { stf_count: 3 } }, position)).toEqual({
      steps: ['stf_gen@18.3', 'stf_gen@18.3', 'finished@24.3'],
      stfs: 3,
    });
  });

  it('puts a standby between physics periods and none after the last', () => {
    expect(play({ fast_processing: { stf_count: 1, physics_period_count: 3 } }).steps).toEqual([
      'run_imminent@5',
      'start_run@13',
      'stf_gen@14.1',
      'pause_run@14.1',
      'resume_run@17.1',
      'stf_gen@18.2',
      'pause_run@18.2',
      'resume_run@21.2',
      'stf_gen@22.3',
      'end_run@22.3',
      'finished@28.3',
    ]);
  });

  it('makes as many STFs as fit in a period if no number is given', () => {
    const { steps, stfs } = play({ fast_processing: { stf_count: 0 } });
    expect(stfs).toBe(5);
    expect(steps.at(-2)).toBe('end_run@24');
  });

  it.each([
    { stf_count: 0, stf_interval: 2, stf_generation_time: 0.1, physics_period_duration: 10 },
    { stf_count: 0, stf_interval: 0.2, stf_generation_time: 0.1, physics_period_duration: 0.7 },
    { stf_count: 0, stf_interval: 2, stf_generation_time: 3, physics_period_duration: 1 },
    { stf_count: 0, stf_interval: 0.9, stf_generation_time: 0.1, physics_period_duration: 30 },
    { stf_count: 4, stf_interval: 2, stf_generation_time: 0.1, physics_period_duration: 1 },
  ])('makes the planned number of STFs: %j', ({ stf_count, ...daq_state_machine }) => {
    const settings = { fast_processing: { stf_count, physics_period_count: 2 }, daq_state_machine };
    expect(play(settings).stfs).toBe(plannedStfCount(workflowParamsSchema.parse(settings)));
  });

  it('stops its clock while an operator pauses the run, and skips no step', () => {
    const settings = { fast_processing: { stf_count: 3 } };
    const params = workflowParamsSchema.parse(settings);
    const said: TimedStep[] = [
      { msg_type: 'run_imminent', tick: 5 },
      { msg_type: 'start_run', tick: 13 },
      { msg_type: 'stf_gen', sequence: 1, tick: 14.1 },
      { msg_type: 'pause_run', ordinal: 1, reason: 'operator', tick: 15 },
    ];
    const paused = said.reduce((position, step) => advance(position, step, params), startPosition);
    expect(nextStep(paused, params)).toMatchObject({ msg_type: 'resume_run', ordinal: 2, tick: Infinity });
    const resumed = advance(paused, { msg_type: 'resume_run', ordinal: 2, reason: 'operator', tick: 115 }, params);
    expect(play(settings, resumed).steps).toEqual([
      'stf_gen@116.2',
      'stf_gen@118.3',
      'end_run@118.3',
      'finished@124.3',
    ]);
  });

  it('has no planned number of STFs for a run that never ends', () => {
    expect(
      plannedStfCount(workflowParamsSchema.parse({ fast_processing: { physics_period_count: 0 } })),
    ).toBeUndefined();
  });
});
