import { describe, expect, it } from 'vitest';

import type { MessageType } from '../../../src/messages/vocabulary.ts';
import { makeStore, makeRunningStore, type TestStore } from '../../made-store.ts';
import { state, stf } from '../one-slice.ts';

const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
const run = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM runs').get();

/** An execution that has only been started. */
async function begun(params: Record<string, unknown> = {}): Promise<TestStore> {
  const made = await makeStore();
  const start = { command_id: 'c1', workflow_name: 'stf_datataking', executed_by: 'tester', speed: 1 } as const;
  await made.say('run_workflow', { ...start, params });
  return made;
}

type Step = [type: MessageType, fields: object];
const pause = (ordinal: number): Step => ['pause_run', { ordinal, reason: 'period' }];
const resume = (ordinal: number): Step => ['resume_run', { ordinal, reason: 'period' }];
const end = (reason: string): Step => ['end_run', { total_stf_files: 0, reason }];
const [imminent, start]: Step[] = [
  ['run_imminent', {}],
  ['start_run', {}],
];

describe('a run', () => {
  it('moves from one phase to the next, and records when each began', async () => {
    const made = await begun();
    const steps: [step: Step | undefined, phase: string][] = [
      [imminent, 'imminent'],
      [start, 'physics'],
      [pause(1), 'standby'],
      [resume(2), 'physics'],
      [end('completed'), 'completed'],
    ];
    for (const [second, [step, phase]] of steps.entries()) {
      const [type, fields] = step as Step;
      expect(await made.say(type, { ...fields, timestamp: at(second) })).toMatchObject({ effect: 'applied' });
      expect(state(made)).toMatchObject({ phase, phase_changed_at: at(second) });
    }
    expect(run(made)).toMatchObject({
      start_time: at(0),
      end_time: at(4),
      total_stf_files: 0,
      dataset_name: 'swf.100010.run',
      dataset_state: 'final',
    });
  });

  const none: [title: string, before: (Step | undefined)[], step: Step | undefined, phase: string][] = [
    ['starts before it is imminent', [], start, 'none'],
    ['pauses before it starts', [imminent], pause(1), 'imminent'],
    ['resumes without a pause', [imminent, start], resume(1), 'physics'],
    ['completes during a pause', [imminent, start, pause(1)], end('completed'), 'standby'],
    ['pauses after its end', [imminent, start, end('completed')], pause(1), 'completed'],
  ];
  it.each(none)('stays in its phase if it %s', async (_, before, step, phase) => {
    const made = await begun();
    for (const [type, fields] of before as Step[]) await made.say(type, { ...fields, timestamp: at(1) });
    const [standing, of] = [state(made), run(made)];
    const [type, fields] = step as Step;
    const said = await made.say(type, { ...fields, timestamp: at(2) });
    expect(said).toMatchObject({ effect_code: 'NO_STEP', effect_reason: `phase ${phase} does not allow ${type}` });
    expect([state(made), run(made)]).toEqual([standing, of]);
  });

  it.each([
    ['stopped', [imminent]],
    ['failed', [imminent, start, pause(1)]],
  ])('that is %s may end outside the physics phase', async (reason, before) => {
    const made = await begun();
    for (const [type, fields] of before as Step[]) await made.say(type, fields);
    const [type, fields] = end(reason);
    expect(await made.say(type, { ...fields, timestamp: at(3) })).toMatchObject({ effect: 'applied' });
    expect(state(made)).toMatchObject({ phase: 'completed' });
    expect(run(made)).toMatchObject({ end_time: at(3) });
  });

  it('cannot end with more STFs than are planned', async () => {
    const of = async (params: object, total_stf_files: number) => {
      const made = await makeRunningStore({ fast_processing: params });
      return made.say('end_run', { total_stf_files, reason: 'completed' });
    };
    const two = { stf_count: 2, physics_period_count: 1 };
    expect(await of(two, 2)).toMatchObject({ effect: 'applied' });
    expect(await of(two, 3)).toMatchObject({
      effect_code: 'NOT_PLANNED',
      effect_reason: '3 STF files are more than the 2 planned',
    });
    // Without a number of periods, it goes on until it is stopped.
    expect(await of({ ...two, physics_period_count: 0 }, 3)).toMatchObject({ effect: 'applied' });
  });
});

describe('the dataset of a run', () => {
  it('is open from run_imminent until the run has ended and every STF is ready', async () => {
    const made = await begun();
    const states: unknown[] = [run(made).dataset_state];
    const say = async (type: MessageType, fields: object): Promise<void> => {
      await made.say(type, fields);
      states.push(run(made).dataset_state);
    };
    const second = stf.replace('1.stf', '2.stf');
    await say('run_imminent', {});
    await say('start_run', {});
    await say('stf_gen', { filename: stf, sequence: 1, tf_count: 10 });
    await say('stf_ready', { filename: stf, sequence: 1, tf_count: 10 });
    await say('stf_gen', { filename: second, sequence: 2, tf_count: 10 });
    await say('end_run', { total_stf_files: 2, reason: 'completed' });
    await say('stf_ready', { filename: second, sequence: 2, tf_count: 10 });
    expect(states).toEqual([null, 'open', 'open', 'open', 'open', 'open', 'open', 'final']);
  });
});
