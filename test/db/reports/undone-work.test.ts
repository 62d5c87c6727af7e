import { describe, expect, it } from 'vitest';

import type { ExecutionRow } from '../../../src/db/execution/find-execution.ts';
import { agentTroubles, givenUpSlices, payloadKind, unansweredFiles } from '../../../src/db/reports/undone-work.ts';
import { executionParamsSchema } from '../../../src/domain/params.ts';
import type { OffDuty } from '../../../src/messages/telemetry.ts';
import { makeRunningStore, makeStore } from '../../made-store.ts';
import { insert, type Row } from '../observed/observed-rows.ts';
import { fakeClock, hear } from '../presence/processes.ts';
import { at, sample, slice } from './file-rows.ts';

it('a queued slice counts as abandoned if a worker has begun its current attempt', async () => {
  const { store } = await makeStore();
  await store.write((tx) => {
    slice(tx, 'begun', 1, { starts: 1 });
    slice(tx, 'not begun', 1);
    slice(tx, 'in hand', 1, { status: 'processing', starts: 1 });
    slice(tx, 'done', 1, { status: 'completed', starts: 1 });
    slice(tx, 'in hand too', 1, { status: 'processing', starts: 1 });
    for (const name of ['theirs', 'theirs too']) slice(tx, name, 1, { starts: 1, execution_id: 'other' });
  });
  expect(givenUpSlices(store.sql, 'e')).toBe(1);
  expect(payloadKind(store.sql, 'e')).toBeUndefined();
});

it('the payload of an execution is that of its waiting slices, and undefined if none wait', async () => {
  const { store, say } = await makeStore();
  for (const [execution_id, name] of [
    ['other', 'theirs'],
    ['e', 'mine'],
  ] as const) {
    const of = { slice_id: 0, slice_filename: `${execution_id}.tf`, tf_filename: 't', stf_filename: 's', attempt: 1 };
    const payload = { name, digest: `sha256:${'0'.repeat(64)}` };
    await say('slice', { ...of, execution_id, start: 0, end: 0, tf_count: 1, payload });
    await store.write((tx) => slice(tx, `${execution_id}.tf`, 1, { execution_id }));
  }
  expect(payloadKind(store.sql, 'e')).toBe(`mine sha256:${'0'.repeat(64)}`);
  await store.write((tx) => tx.sql(`UPDATE tf_slices SET status = 'completed' WHERE execution_id = 'e'`).run());
  expect(payloadKind(store.sql, 'e')).toBeUndefined();
});

describe('an agent that is off duty', () => {
  it.each<[what: string, off_duty: OffDuty, agent_type: 'worker' | 'data', isOfExecution: boolean]>([
    ['for a file of the execution', { reason: 'WRONG_FILE', name: 'mine.tf 12' }, 'worker', true],
    ['for a file of another execution', { reason: 'WRONG_FILE', name: 'theirs.tf 12' }, 'worker', false],
    ['for the place of its file', { reason: 'NO_FILE', name: 'http://host-a' }, 'worker', true],
    [
      'for a place that is only a prefix of the place of its file',
      { reason: 'NO_FILE', name: 'http://host' },
      'worker',
      false,
    ],
    ['for the place of a file of another execution', { reason: 'NO_FILE', name: 'http://host-b' }, 'worker', false],
    ['for the place to which its file has moved', { reason: 'NO_FILE', name: 'http://host-c' }, 'worker', true],
    ['for the former place of its moved file', { reason: 'NO_FILE', name: 'http://host-z' }, 'worker', false],
    ['for failing slices of the execution', { reason: 'FAILING', name: 'e' }, 'worker', true],
    ['for failing slices of another execution', { reason: 'FAILING', name: 'other' }, 'worker', false],
    ['for a payload that no slice asks for', { reason: 'NO_PAYLOAD', name: 'reco' }, 'worker', false],
    ['in a role that all executions need', { reason: 'NO_FILE', name: 'http://nowhere' }, 'data', true],
  ])(
    'is trouble for an execution only if the reason concerns it: off duty %s',
    async (_, off_duty, agent_type, isOfExecution) => {
      fakeClock();
      const { store } = await makeStore();
      await store.write((tx) => {
        sample(tx, 'mine.tf', 1, { file_url: 'http://host-a/mine.tf' });
        sample(tx, 'moved.tf', 1, { file_url: 'http://host-z/moved.tf' });
        sample(tx, 'theirs.tf', 1, { file_url: 'http://host-b/theirs.tf', execution_id: 'other' });
        const place = { execution_id: 'e', file_url: 'http://host-c/moved.tf', moved_at: '' };
        insert(tx, 'moved_files', { tf_filename: 'moved.tf', ...place });
      });
      await hear(store, { agent_type, off_duty: [off_duty] });
      const execution = { execution_id: 'e', namespace: 'test' } as ExecutionRow;
      const found = agentTroubles(store.sql, execution, () => true).off_duty.map(({ reason, kind }) => [reason, kind]);
      expect(found).toEqual(isOfExecution ? [[off_duty.reason, off_duty.name]] : []);
    },
  );
});

it('every resting slot of a worker is listed as trouble, however many there are', async () => {
  fakeClock();
  const { store } = await makeStore();
  const off_duty = Array.from({ length: 50 }, (_, n) => ({ reason: 'FAILING', name: 'e', detail: `w/${n} rests` }));
  await hear(store, { agent_type: 'worker', off_duty });
  const execution = { execution_id: 'e', namespace: 'test' } as ExecutionRow;
  expect(agentTroubles(store.sql, execution, () => true).off_duty).toHaveLength(50);
});

describe("files that are still waiting for an agent's answer", () => {
  const stf = 'swf.100010.000001.stf';
  const execution = {
    execution_id: 'stf_datataking-tester-0001',
    namespace: 'test',
    stf_count: 1,
    tf_files_received: 0,
  } as ExecutionRow;

  /** One STF file was announced, long ago. @param agents rows of agents of the role, in the order of their names */
  async function announced(agents: Row[]) {
    const setClock = fakeClock();
    const { store, say } = await makeRunningStore();
    await say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    await hear(store, { agent_name: 'heard', agent_type: 'data' });
    await store.write((tx) => {
      for (const [n, row] of agents.entries())
        insert(tx, 'system_agents', {
          agent_name: `data-${n}`,
          agent_type: 'data',
          namespace: 'test',
          state: 'READY',
          process_id: 1,
          last_heartbeat: at(0),
          ...row,
        });
      const line = { run_id: null, execution_id: null, context: null, timestamp: at(0) };
      for (const [agent, level, message] of [
        ['data-0', 30, 'no disk'],
        ['data-0', 30, 'still no disk'],
        ['data-0', 20, 'looks again'],
        ['data-1', 40, 'of another'],
      ] as const)
        insert(tx, 'app_logs', { ...line, agent, level, message });
    });
    setClock(3600);
    await hear(store, { agent_name: 'heard', agent_type: 'data' });
    const counts = { params: executionParamsSchema.parse({}), stfs_ready: 0, samples_expected: 0 };
    return unansweredFiles(store.sql, execution, counts, () => true);
  }
  const newest = { last_heartbeat: '9999' };
  const off = { off_duty: '[{"reason":"NO_FILE","name":"/data"}]' };

  it.each<[what: string, agents: Row[], detail: string | undefined]>([
    ['no warning if the agent heard last says that it is on duty', [newest], undefined],
    ['the last warning of the agent heard last', [{ ...newest, ...off }], 'still no disk'],
    ['no warning from an agent that was heard earlier', [{ ...off, last_heartbeat: '0' }], undefined],
    ['no warning from an agent that has ended', [{ ...newest, ...off, state: 'EXITED' }], undefined],
    ['no warning from another namespace', [{ ...newest, ...off, namespace: 'other' }], undefined],
    ['no warning from another role', [{ ...newest, ...off, agent_type: 'fastmon' }], undefined],
    ['no warning from a foreign program', [{ ...newest, ...off, heard_on: 'h' }], undefined],
  ])('are listed with %s', async (_, agents, detail) => {
    const [found, ...others] = await announced(agents);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ role: 'data', files: 1, first: stf });
    expect(found?.off_duty?.detail).toBe(detail);
  });
});
