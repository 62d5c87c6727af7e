import { describe, expect, it } from 'vitest';

import { commandState, noteApplied } from '../../../src/db/log/commands.ts';
import { makeRunningStore, makeStore, noCounts, type TestStore } from '../../made-store.ts';
import { byWorker, row, state, stf, withSlice } from '../one-slice.ts';

const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
const start = {
  command_id: 'c1',
  workflow_name: 'stf_datataking',
  params: {},
  executed_by: 'tester',
  speed: 1,
} as const;

const executions = ({ store }: TestStore): any[] =>
  store.db.prepare('SELECT * FROM workflow_executions ORDER BY seq').all();

describe('the end of an execution', () => {
  const end = (made: TestStore, status: 'completed' | 'failed' | 'terminated') =>
    made.say('workflow_ended', { ...noCounts, status, reason: 'as it is', timestamp: at(9) });

  it('is recorded with its reason and time, and the waiting commands are refused', async () => {
    const made = await makeRunningStore();
    const { message_id } = await made.say('pause_workflow', { command_id: 'p1' });
    await made.say('run_workflow', { ...start, command_id: 'c2' });
    await end(made, 'terminated');
    expect(executions(made)).toMatchObject([
      { status: 'terminated', status_reason: 'as it is', end_time: at(9) },
      { status: 'running', status_reason: null, end_time: null },
    ]);
    expect(commandState(made.store.sql, message_id)).toEqual({
      effect: 'none',
      code: 'EXECUTION_ENDED',
      reason: 'the execution has ended',
    });
  });

  it.each([
    ['completed', 'processing', 'worker/01', null, null],
    ['failed', 'queued', null, 'worker/01', at(5)],
    ['terminated', 'queued', null, 'worker/01', at(5)],
  ] as const)(
    'determines whether slices in hand are queued again: %s',
    async (...[status, standing, worker, left_by, left_from]) => {
      const made = await withSlice();
      await made.say('slice_started', { ...byWorker(1), timestamp: at(5) });
      await end(made, status);
      expect(row(made)).toMatchObject({ status: standing, assigned_worker: worker });
      expect(made.store.db.prepare('SELECT left_by, left_from FROM tf_slices').get()).toEqual({ left_by, left_from });
      const inHand = standing === 'processing' ? 1 : 0;
      expect(state(made)).toMatchObject({ slices_processing: inHand, slices_queued: 1 - inHand });
    },
  );

  it('makes the dataset final, with the end time of the run, or of the execution if the run has not ended', async () => {
    const dataset = ({ store }: TestStore): unknown =>
      store.db.prepare('SELECT dataset_state, end_time FROM runs').get();
    const open = await makeRunningStore();
    await open.say('stf_gen', { filename: stf, sequence: 1, tf_count: 10 });
    expect(dataset(open)).toEqual({ dataset_state: 'open', end_time: null });
    await end(open, 'terminated');
    expect(dataset(open)).toEqual({ dataset_state: 'final', end_time: at(9) });
    const ended = await makeRunningStore();
    await ended.say('stf_gen', { filename: stf, sequence: 1, tf_count: 10 });
    await ended.say('end_run', { total_stf_files: 1, reason: 'completed', timestamp: at(3) });
    await end(ended, 'failed');
    expect(dataset(ended)).toEqual({ dataset_state: 'final', end_time: at(3) });
    const early = await makeStore();
    await early.say('run_workflow', start);
    await end(early, 'failed');
    expect(dataset(early)).toEqual({ dataset_state: null, end_time: null });
  });

  it.each([
    ['failed if it made the execution fail', 'failed', true, false, 'failed'],
    ['as it is if no agent accepted the request', 'failed', false, false, 'registered'],
    ['as it is if the execution was stopped', 'terminated', true, false, 'registered'],
    ['processed if it was ready', 'failed', true, true, 'processed'],
  ] as const)('leaves an STF %s', async (...[, status, isTaken, isReady, expected]) => {
    const made = await makeRunningStore();
    const other = 'swf.100010.000002.stf';
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 10 });
    await made.say('stf_gen', { filename: other, sequence: 2, tf_count: 10 });
    if (isReady) await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 10 });
    const { message_id } = await made.say('stop_workflow', { command_id: 's1', state: 'failed', filename: stf });
    if (isTaken) await made.store.write((tx) => noteApplied(tx, message_id));
    await end(made, status);
    expect(made.store.db.prepare('SELECT stf_filename, status FROM stf_files ORDER BY seq').all()).toEqual([
      { stf_filename: stf, status: expected },
      { stf_filename: other, status: 'registered' },
    ]);
  });
});
