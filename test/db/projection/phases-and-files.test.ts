import { describe, expect, it } from 'vitest';

import { makeRunningStore, makeStore } from '../../made-store.ts';
import { sample, slice, state, stf } from '../one-slice.ts';

describe('the phases of a run', () => {
  it('change only in allowed steps; other messages are kept, with the reason, but change nothing', async () => {
    const made = await makeRunningStore();
    expect(await made.say('resume_run', { ordinal: 1, reason: 'period' })).toMatchObject({
      effect: 'none',
      effect_reason: 'phase physics does not allow resume_run',
    });
    expect(await made.say('pause_run', { ordinal: 1, reason: 'period' })).toMatchObject({ effect: 'applied' });
    expect(await made.say('end_run', { total_stf_files: 0, reason: 'completed' })).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ phase: 'standby' });
  });

  it('may end in standby if the run is stopped', async () => {
    const made = await makeRunningStore();
    await made.say('pause_run', { ordinal: 1, reason: 'period' });
    expect(await made.say('end_run', { total_stf_files: 0, reason: 'stopped' })).toMatchObject({ effect: 'applied' });
    expect(state(made)).toMatchObject({ phase: 'completed' });
  });
});

describe('a message of another namespace or run', () => {
  it('changes nothing', async () => {
    const made = await makeRunningStore();
    expect(await made.say('pause_run', { ordinal: 1, reason: 'period', namespace: 'other' })).toMatchObject({
      effect: 'none',
    });
    expect(await made.say('pause_run', { ordinal: 2, reason: 'period', run_id: '999' })).toMatchObject({
      effect: 'none',
    });
    expect(state(made)).toMatchObject({ phase: 'physics' });
  });
});

describe('files', () => {
  it('change nothing if they belong to another run, lack known parents or have frames outside the STF', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const unfit = [
      await made.say('stf_gen', { filename: 'swf.99.000002.stf', sequence: 2, tf_count: 100 }),
      await made.say('stf_ready', { filename: 'swf.100010.000009.stf', sequence: 9, tf_count: 100 }),
      await made.say('tf_file_registered', {
        tf_filename: 'x_tf_001.tf',
        stf_filename: stf,
        tf_first: 0,
        tf_last: 1,
        tf_count: 2,
      }),
      await made.say('tf_file_registered', {
        tf_filename: sample,
        stf_filename: stf,
        tf_first: 90,
        tf_last: 100,
        tf_count: 11,
      }),
      await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 1, tf_count: 2 }),
    ];
    for (const said of unfit) expect(said).toMatchObject({ effect: 'none', effect_reason: expect.any(String) });
    expect(state(made)).toMatchObject({ stfs_announced: 1, stfs_ready: 0, tf_files_received: 0, slices_created: 0 });
  });
});

describe('a run_workflow received from a broker', () => {
  const command = {
    msg_type: 'run_workflow',
    command_id: 'c9',
    sender: 's',
    namespace: 'n',
    workflow_name: 'w',
    params: {},
    executed_by: 'u',
    speed: 1,
  };

  it.each([{ run_id: '1e40' }, { run_id: '900000000000000' }, { execution_id: 'other-x-9999', run_id: '7' }])(
    'cannot choose the run number or the execution id by sending %j',
    async (chosen) => {
      const { store, receive } = await makeStore();
      const body = JSON.stringify({ ...command, ...chosen });
      const recorded = await store.write((tx) => receive(tx, '/queue/workflow_control', body));
      expect(recorded).toMatchObject({ effect: 'applied', execution_id: 'w-u-0001' });
      expect(store.db.prepare('SELECT run_number FROM workflow_executions').all()).toEqual([{ run_number: 100_010 }]);
    },
  );

  it('is rejected if its user name is unfit for an id, and creates nothing if its parameters are unusable', async () => {
    const { store, receive } = await makeStore();
    const record = (changes: object) =>
      store.write((tx) => receive(tx, '/queue/workflow_control', JSON.stringify({ ...command, ...changes })));
    expect(await record({ executed_by: '../u' })).toMatchObject({ effect: 'rejected' });
    expect(await record({ executed_by: 'u'.repeat(65) })).toMatchObject({ effect: 'rejected' });
    expect(await record({ params: { fast_processing: { stf_count: 'x' } } })).toMatchObject({
      effect: 'none',
      effect_reason: expect.stringContaining('fast_processing.stf_count'),
    });
    expect(await record({ command_id: 'c10', params: { fast_processing: { worker_rampup_time: 300 } } })).toMatchObject(
      { effect: 'applied' },
    );
  });
});
