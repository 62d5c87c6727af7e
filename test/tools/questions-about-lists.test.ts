import { describe, expect, it } from 'vitest';

import { type Answer, connectInProcess, makeRunningStore, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';
import { askWithin, clientOf, doneSlices, inPhysics, secondsAgo, slice, stf, storeOfSlices } from './asking.ts';

const names = (answer: Answer): string[] => (answer['items'] as Answer[]).map((one) => one['slice_filename'] as string);

describe('a time-filtered list', () => {
  it('of slices uses the time of creation, start or completion, depending on time_field', async () => {
    const made = await storeOfSlices([
      { queued: 600, started: 500, done: 400 },
      { queued: 600, started: 100, done: 50 },
      { queued: 600, started: 50 },
      { queued: 30 },
    ]);
    const client = await connectInProcess(made.path);
    const found = async (args: Answer) =>
      names(await askWithin(client, 'list_tf_slices', { order: 'oldest', ...args }));
    expect(await found({ start_time: '-2m', time_field: 'completed' })).toEqual([slice(1, 1)]);
    expect(await found({ start_time: '-2m', time_field: 'started' })).toEqual([slice(1, 1), slice(1, 2)]);
    expect(await found({ start_time: '-2m' })).toEqual([slice(1, 3)]);
    expect(await found({ end_time: '-2m', time_field: 'completed' })).toEqual([slice(1, 0)]);
    expect(await found({ start_time: '-2m', time_field: 'completed', execution_id: 'latest' })).toEqual([slice(1, 1)]);
  });

  it('of STF files uses the time of announcement, or of readiness if time_field says so', async () => {
    const { path, say } = await makeRunningStore();
    await say('stf_gen', { filename: stf(1), sequence: 1, tf_count: 10, timestamp: secondsAgo(600) });
    await say('stf_ready', { filename: stf(1), sequence: 1, tf_count: 10, timestamp: secondsAgo(10) });
    const client = await connectInProcess(path);
    expect((await askWithin(client, 'list_stf_files', { start_time: '-1m' }))['items']).toEqual([]);
    expect(
      (await askWithin(client, 'list_stf_files', { start_time: '-1m', time_field: 'completed' }))['items'],
    ).toHaveLength(1);
  });

  it('of executions includes those that were running in the window, even if they began earlier', async () => {
    const { path, store, say } = await makeRunningStore();
    await say('run_workflow', { command_id: 'c2', workflow_name: 'w', params: {}, executed_by: 'rita', speed: 1 });
    await say('run_workflow', { command_id: 'c3', workflow_name: 'w', params: {}, executed_by: 'tom', speed: 1 });
    store.db.exec(`UPDATE workflow_executions SET start_time = '${secondsAgo(7200)}'`);
    store.db.exec(
      `UPDATE workflow_executions SET status = 'completed', end_time = '${secondsAgo(3600)}' WHERE executed_by = 'rita'`,
    );
    store.db.exec(
      `UPDATE workflow_executions SET status = 'completed', end_time = '${secondsAgo(60)}' WHERE executed_by = 'tom'`,
    );
    const client = await connectInProcess(path);
    const users = async (args: Answer) =>
      ((await askWithin(client, 'list_workflow_executions', args))['items'] as Answer[]).map(
        ({ executed_by }) => executed_by as string,
      );
    expect(await users({ start_time: '-5m' })).toEqual(['tom', 'tester']);
    expect(await users({ start_time: '-90m' })).toEqual(['tom', 'rita', 'tester']);
    expect(await users({ end_time: '-3h' })).toEqual([]);
  });

  it('of executions by health has only executions in progress with that health', async () => {
    const { path, store, say } = await makeRunningStore();
    await say('run_workflow', { command_id: 'c2', workflow_name: 'w', params: {}, executed_by: 'rita', speed: 1 });
    store.db.exec(`UPDATE workflow_executions SET status = 'completed' WHERE executed_by = 'rita'`);
    const client = await connectInProcess(path);
    const healths = async (args: Answer) => {
      const { items, total_count } = await askWithin(client, 'list_workflow_executions', args);
      return { total_count, healths: (items as Answer[]).map(({ health }) => health) };
    };
    expect(await healths({})).toEqual({ total_count: 2, healths: ['finished', 'progressing'] });
    expect(await healths({ health: 'progressing' })).toEqual({ total_count: 1, healths: ['progressing'] });
    expect(await healths({ health: 'stalled' })).toEqual({ total_count: 0, healths: [] });
  });

  it('of executions omits one whose driver died before the window', async () => {
    const { folder, run, client } = await inPhysics();
    run.child.kill('SIGKILL');
    await run.finished;
    expect((await askWithin(client, 'list_workflow_executions', { start_time: '-1h' }))['items']).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(
      (await askWithin(await clientOf(folder), 'list_workflow_executions', { start_time: '-1s' }))['items'],
    ).toHaveLength(0);
  });
});

describe('a list filtered by name', () => {
  it('of slices accepts a worker by its full name, its agent or its slot', async () => {
    const made = await storeOfSlices([...doneSlices(12, 1)]);
    const client = await connectInProcess(made.path);
    const total = async (assigned_worker: string) =>
      (await askWithin(client, 'list_tf_slices', { assigned_worker, execution_id: 'latest' }))['total_count'] as number;
    expect(
      await Promise.all(
        ['7', '07', '12', 'worker-agent-tester-9', 'worker-agent-tester-9/7', 'worker-agent-tester-9/07'].map(total),
      ),
    ).toEqual([1, 1, 1, 12, 1, 1]);
  });

  it.each([
    [
      'list_tf_slices',
      { assigned_worker: '99' },
      /^assigned_worker "99" was not found; the nearest are worker-agent-tester-5\//,
    ],
    [
      'list_tf_slices',
      { assigned_worker: 'worker-agent-rita-5' },
      /^assigned_worker "worker-agent-rita-5" was not found; the nearest are worker-agent-tester-5/,
    ],
    ['list_tf_slices', { slice_filename: 'swf.100010.000001_slice_099.tf' }, /nearest are swf\.100010\.000001_slice_0/],
    ['list_tf_slices', { stf_filename: 'swf.100010.000009.stf' }, /nearest are swf\.100010\.00000\d\.stf/],
    [
      'list_messages',
      { message_type: 'slice_results' },
      /^message_type "slice_results" was not found; the nearest are slice_result/,
    ],
    ['list_messages', { agent: 'daq' }, /^agent "daq" was not found; the nearest are /],
    ['list_messages', { namespace: 'Torre2' }, /nearest are torre2/],
    ['list_logs', { agent: 'daq' }, /^agent "daq" was not found/],
    ['list_workflow_executions', { executed_by: 'Rita' }, /^executed_by "Rita" was not found; the nearest are tester/],
    ['list_workflow_executions', { workflow_name: 'stf' }, /nearest are stf_datataking/],
    ['list_tf_files', { tf_filename: 'swf.100010.000001_tf_009.tf' }, /nearest are swf\.100010\.000001_tf_001\.tf/],
    ['list_agents', { namespace: 'torre3' }, /nearest are torre2/],
    [
      'list_stf_files',
      { execution_id: 'stf_datataking-tester-0001', run_number: 100_011 },
      /^run_number 100011 belongs to stf_datataking-tester-0002, not to stf_datataking-tester-0001\.$/,
    ],
  ] as const)('from %s(%j) is empty, and a note says why', async (tool, args, note) => {
    const folder = await twoRuns();
    const answer = await askWithin(await clientOf(folder), tool, args);
    expect(answer).toMatchObject({ items: [], total_count: 0, note: expect.stringMatching(note) });
  });

  it('has no note if the name is known and no row matches', async () => {
    const answer = await askWithin(await clientOf(await twoRuns()), 'list_messages', {
      agent: 'worker-agent-tester-5',
      message_type: 'end_run',
    });
    expect(answer).toMatchObject({ items: [], total_count: 0 });
    expect(answer).not.toHaveProperty('note');
  });
});

let runs: Promise<string> | undefined;

/** Two runs, made once. */
function twoRuns(): Promise<string> {
  runs ??= (async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    await runWorkflow(folder, '--stf-count', '1');
    return folder;
  })();
  return runs;
}

describe('a list ordered or filtered by a property', () => {
  it('returns the slowest slices first, with their durations, page by page', async () => {
    const took = [3, 9, 1, 7, 5];
    const made = await storeOfSlices(took.map((seconds) => ({ queued: 100, started: 50 + seconds, done: 50 })));
    const client = await connectInProcess(made.path);
    const first = await askWithin(client, 'list_tf_slices', { execution_id: 'latest', order_by: 'seconds', limit: 2 });
    expect((first['items'] as Answer[]).map(({ seconds }) => Math.round(seconds))).toEqual([9, 7]);
    const next = await askWithin(client, 'list_tf_slices', {
      execution_id: 'latest',
      order_by: 'seconds',
      limit: 2,
      cursor: first['next_cursor'],
    });
    expect((next['items'] as Answer[]).map(({ seconds }) => Math.round(seconds))).toEqual([5, 3]);
    expect(first['total_count']).toBe(5);
    const fastest = await askWithin(client, 'list_tf_slices', {
      execution_id: 'latest',
      order_by: 'seconds',
      order: 'oldest',
      limit: 1,
    });
    expect(names(fastest)).toEqual([slice(1, 2)]);
  });

  it('returns the retried slices, and the STF files without slices', async () => {
    const folder = temporaryFolder();
    const sets = [
      'worker.payload=["sh","-c","[ $SWF_SLICE_ID != 3 ]"]',
      'worker.max_retries=2',
      'fast_processing.stf_sampling_rate=0.5',
    ];
    await runCli(['run', '--speed', 'max', '--stf-count', '4', ...sets.flatMap((one) => ['--set', one])], { folder });
    const client = await clientOf(folder);
    const retried = await askWithin(client, 'list_tf_slices', {
      execution_id: 'latest',
      min_retries: 1,
      order: 'oldest',
    });
    expect(names(retried)).toEqual([slice(2, 3), slice(4, 3)]);
    expect((await askWithin(client, 'list_tf_slices', { execution_id: 'latest', min_retries: 3 }))['total_count']).toBe(
      0,
    );
    const without = await askWithin(client, 'list_stf_files', {
      execution_id: 'latest',
      has_slices: false,
      order: 'oldest',
    });
    expect((without['items'] as Answer[]).map(({ stf_filename }) => stf_filename)).toEqual([stf(1), stf(3)]);
    expect(
      (await askWithin(client, 'list_stf_files', { execution_id: 'latest', has_slices: true }))['total_count'],
    ).toBe(2);
    const one = await askWithin(client, 'list_tf_slices', { slice_filename: slice(2, 3) });
    expect(one['items']).toMatchObject([{ status: 'failed', retries: 2 }]);
  });
});
