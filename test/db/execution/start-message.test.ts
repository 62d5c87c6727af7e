import { describe, expect, it } from 'vitest';

import { lastTick, runningOverBroker, startMessage } from '../../../src/db/execution/start-message.ts';
import { makeRunningStore, makeStore, noCounts, sayShortExecutions } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const generated = (sequence: number) => ({
  filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 10,
});

describe('the message that started an execution', () => {
  it('contains its configuration and its assigned numbers', async () => {
    const made = await makeRunningStore({ fast_processing: { stf_count: 3 } });
    await sayShortExecutions(made, 1);
    expect(startMessage(made.store.sql, id)).toMatchObject({
      msg_type: 'run_workflow',
      command_id: 'c1',
      execution_id: id,
      run_id: '100010',
      params: { fast_processing: { stf_count: 3 } },
    });
  });

  it('leads to the error EXECUTION_NOT_RUNNING if the execution was not started here', async () => {
    const { store } = await makeRunningStore();
    expect(() => startMessage(store.sql, 'other-1')).toThrow(
      expect.objectContaining({
        code: 'EXECUTION_NOT_RUNNING',
        message: 'other-1 was not started from this store and cannot be resumed here',
      }),
    );
  });
});

describe('the simulated time that an execution has reached', () => {
  it('is the greatest tick of its steps, and undefined before the first step', async () => {
    const { store, say } = await makeRunningStore();
    expect(lastTick(store.sql, id)).toBeUndefined();
    const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
    await say('stf_gen', { ...generated(1), simulation_tick: 9.5, timestamp: at(1) });
    await say('stf_gen', { ...generated(2), simulation_tick: 12.25, timestamp: at(2) });
    await say('stf_ready', { ...generated(1), simulation_tick: 11, timestamp: at(3) });
    await say('stf_gen', { ...generated(3), timestamp: at(4) });
    expect(lastTick(store.sql, id)).toEqual({ tick: 12.25, sent_at: at(2) });
    // Neither a message without effect nor a note is a step.
    await say('resume_run', { ordinal: 7, reason: 'period', simulation_tick: 99, timestamp: at(5) });
    await say('note', { command_id: 'n1', text: 'all well', author: 'ana', simulation_tick: 99 });
    expect(lastTick(store.sql, id)).toEqual({ tick: 12.25, sent_at: at(2) });
    expect(lastTick(store.sql, 'another')).toBeUndefined();
  });

  it('is searched for only in the last 64 rows', async () => {
    const { store, say } = await makeRunningStore();
    await say('stf_gen', { ...generated(1), simulation_tick: 900 });
    for (let n = 2; n <= 64; n += 1) await say('stf_gen', { ...generated(n), simulation_tick: n });
    expect(lastTick(store.sql, id)?.tick).toBe(900);
    await say('stf_gen', { ...generated(65), simulation_tick: 65 });
    expect(lastTick(store.sql, id)?.tick).toBe(65);
  });
});

describe('the executions that run over a broker', () => {
  const over = { broker: { url: 'stomp://127.0.0.1:1' } };
  const begin = (command_id: string, params: Record<string, unknown>, namespace = 'test') =>
    ({ command_id, workflow_name: 'stf_datataking', params, executed_by: 'tester', speed: 1, namespace }) as const;

  it('have a configured broker, are in the given namespace, and have not ended', async () => {
    const { store, say } = await makeStore();
    for (const [command, params, namespace] of [
      ['c1', over, 'test'],
      ['c2', {}, 'test'],
      ['c3', over, 'prod'],
      ['c4', over, 'test'],
      ['c5', over, 'test'],
    ] as const)
      await say('run_workflow', begin(command, params, namespace));
    await say('workflow_ended', { ...noCounts, status: 'completed', reason: 'completed' });
    expect(runningOverBroker(store.sql, 'test')).toEqual(['stf_datataking-tester-0004', 'stf_datataking-tester-0005']);
    expect(runningOverBroker(store.sql, 'prod')).toEqual(['stf_datataking-tester-0003']);
    expect(runningOverBroker(store.sql, 'other')).toEqual([]);
  });
});
