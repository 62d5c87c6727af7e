import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { faultyPayload } from '../../faults/payload.ts';
import { expectErrors } from '../codes.ts';
import {
  type Answer,
  ask,
  connectInProcess,
  connectStdio,
  makeRunningStore,
  refusal,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { clientOf, doneSlices, sayFirstSample, slice, storeOfSlices, stf, tf } from './asking.ts';

const sum = (groups: Answer[], field: string): number =>
  groups.reduce((before, group) => before + (group[field] as number), 0);

/** A run with occasional failures, and its counts from SQL. */
async function failingRun() {
  const folder = temporaryFolder();
  await runCli(['run', '--speed', 'max', '--stf-count', '6', ...faultyPayload(4)], { folder });
  const db = new Database(join(folder, 'swf.db'), { readonly: true });
  const count = (sql: string): number => (db.prepare(sql).get() as { n: number }).n;
  return { folder, client: await clientOf(folder), count };
}

describe('a summary', () => {
  it('of slices has the same counts as the rows, grouped by each key and in total', async () => {
    const { client, count } = await failingRun();
    const slices = count('SELECT count(*) AS n FROM tf_slices');
    const attempts = count('SELECT count(*) AS n FROM slice_attempts');
    for (const key of [
      'status',
      'stf_filename',
      'tf_count',
      'execution_id',
      'namespace',
      'person',
      'minute',
      'hour',
      'day',
    ]) {
      const { groups, total, counts } = await ask(client, 'summarize', { what: 'slices', group_by: key, limit: 1000 });
      expect({ key, counts, sum: sum(groups, 'count'), total: total.count }).toEqual({
        key,
        counts: 'slices',
        sum: slices,
        total: slices,
      });
      expect(total.failed).toBe(count(`SELECT count(*) AS n FROM tf_slices WHERE status = 'failed'`));
      expect(total.retries).toBe(count('SELECT sum(attempt - 1) AS n FROM tf_slices'));
    }
    for (const key of ['worker', 'host', 'attempt']) {
      const { groups, total, counts } = await ask(client, 'summarize', { what: 'slices', group_by: key, limit: 1000 });
      expect({ counts, sum: sum(groups, 'count'), total: total.count }).toEqual({
        counts: 'attempts at slices',
        sum: attempts,
        total: attempts,
      });
    }
    const byHost = await ask(client, 'summarize', { what: 'slices', group_by: 'host' });
    expect(byHost['total']).toMatchObject({
      slices,
      stay_failed: count(`SELECT count(*) AS n FROM tf_slices WHERE status = 'failed'`),
    });
    const byWorker = await ask(client, 'summarize', { what: 'slices', group_by: 'worker', limit: 1000 });
    for (const { worker, ...told } of byWorker['groups'] as Answer[])
      expect(told).toMatchObject({
        slices: count(`SELECT count(DISTINCT slice_filename) AS n FROM slice_attempts WHERE worker_id = '${worker}'`),
        stay_failed: count(
          `SELECT count(*) AS n FROM tf_slices WHERE status = 'failed' AND assigned_worker = '${worker}'`,
        ),
      });
    const sampled = await ask(client, 'summarize', { what: 'stf_files', group_by: 'has_slices' });
    expect(sampled['groups']).toEqual([expect.objectContaining({ has_slices: 'yes', count: 6 })]);
    const bySize = await ask(client, 'summarize', { what: 'slices', group_by: 'tf_count,status', limit: 1000 });
    for (const { tf_count, status, count: told } of bySize['groups'] as Answer[])
      expect(told).toBe(
        count(`SELECT count(*) AS n FROM tf_slices WHERE tf_count = ${tf_count} AND status = '${status}'`),
      );
    for (const what of ['slices', 'executions']) {
      const byPerson = await ask(client, 'summarize', { what, group_by: 'person' });
      expect(byPerson['groups']).toEqual([expect.objectContaining({ person: expect.stringMatching(/^\w+$/) })]);
    }
    const failed = count(`SELECT count(*) AS n FROM slice_attempts WHERE state = 'failed'`);
    const causes = await ask(client, 'summarize', { what: 'slices', group_by: 'cause' });
    expect(causes['total'].count).toBe(failed);
    expect(causes['groups'].length).toBeLessThan(4);
    expect(causes).not.toHaveProperty('note');
    expect(await ask(client, 'summarize', { what: 'slices', group_by: 'host,cause' })).toMatchObject({
      note: expect.stringContaining('group_by="host"') as string,
    });
    // The causes of the monitor are the same, by the same rule.
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const told = (monitor['causes'] as Answer[] | undefined) ?? [];
    for (const { cause } of told) expect(causes['groups'].map((group: Answer) => group['cause'])).toContain(cause);
  });

  it('of executions counts their slices', async () => {
    const { client, count } = await failingRun();
    const { total } = await ask(client, 'summarize', { what: 'executions', group_by: 'day' });
    expect(total).toMatchObject({
      slices: count('SELECT count(*) AS n FROM tf_slices'),
      stay_failed: count(`SELECT count(*) AS n FROM tf_slices WHERE status = 'failed'`),
    });
  });

  it('by two keys has a group for each pair of values, with its durations', async () => {
    const made = await storeOfSlices([
      ...doneSlices(3, 2),
      ...doneSlices(1, 10),
      { queued: 5, started: 4 },
      { queued: 5 },
    ]);
    const client = await connectInProcess(made.path);
    const { groups, total } = await ask(client, 'summarize', { what: 'slices', group_by: 'stf_filename, status' });
    expect(groups).toMatchObject([
      {
        status: 'completed',
        stf_filename: stf(1),
        count: 4,
        // Times are reported to the millisecond, at two moments.
        seconds: {
          mean: expect.closeTo(4, 1),
          p50: expect.closeTo(2, 1),
          p95: expect.closeTo(10, 1),
          max: expect.closeTo(10, 1),
        },
      },
      { status: 'processing', count: 1 },
      { status: 'queued', count: 1 },
    ]);
    expect(total.count).toBe(6);
  });

  it.each([
    ['next to the time from hand-over to result', { payload: ['reconstruct'] }, [1.5, 2.25]],
    ['but not for the placeholder, whose time is simulated', {}, [undefined, undefined]],
  ])("of slices gives the payload's own time, %s", async (_, worker, expected) => {
    const made = await storeOfSlices([{ queued: 60 }], { worker });
    const of = { slice_id: 0, slice_filename: slice(1), tf_filename: tf(1), worker_id: 'w/01', hostname: 'host' };
    await made.say('slice_started', { ...of, attempt: 1 });
    await made.say('slice_result', { ...of, attempt: 1, state: 'failed', error: 'x', processing_seconds: 1.5 });
    await made.say('slice', { ...of, attempt: 2, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    await made.say('slice_started', { ...of, attempt: 2 });
    await made.say('slice_result', { ...of, attempt: 2, state: 'done', processing_seconds: 2.25 });
    const client = await connectInProcess(made.path);
    const { groups } = await ask(client, 'summarize', { what: 'slices', group_by: 'attempt', order_by: 'key' });
    expect(groups).toMatchObject([{ attempt: '1', seconds: { p50: expect.any(Number) } }, { attempt: '2' }]);
    expect(groups.map(({ processing_seconds }: Answer) => processing_seconds?.p50)).toEqual(expected);
  });

  it('is up to date after each message, and gives an example of a cause only if the summary covers all slices', async () => {
    const made = await makeRunningStore();
    const client = await connectInProcess(made.path);
    const states = async (): Promise<Record<string, number>> => {
      const { groups } = await ask(client, 'summarize', { what: 'slices', group_by: 'status' });
      return Object.fromEntries(groups.map((group: Answer) => [group['status'], group['count']]));
    };
    expect(await states()).toEqual({});
    await sayFirstSample(made);
    const of = { slice_id: 0, slice_filename: slice(1), tf_filename: tf(1), attempt: 1 };
    const by = { worker_id: 'w/01', hostname: 'host' };
    await made.say('slice', { ...of, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    expect(await states()).toEqual({ queued: 1 });
    await made.say('slice_started', { ...of, ...by });
    expect(await states()).toEqual({ processing: 1 });
    await made.say('slice_result', { ...of, ...by, state: 'failed', error: 'no calibration for run 7' });
    await made.say('slice', { ...of, attempt: 2, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    expect(await states()).toEqual({ queued: 1 });
    const { groups } = await ask(client, 'summarize', { what: 'slices', group_by: 'cause' });
    expect(groups).toMatchObject([{ cause: 'no calibration for run 7', count: 1, failed: 1 }]);
    expect(groups[0]).not.toHaveProperty('example');
    await made.say('slice_started', { ...of, ...by, attempt: 2 });
    await made.say('slice_result', { ...of, ...by, attempt: 2, state: 'failed', error: 'no calibration for run 8' });
    const failures = await ask(client, 'summarize', { what: 'slices', group_by: 'cause' });
    expect(failures['groups']).toMatchObject([
      { cause: 'no calibration for run N', example: 'no calibration for run 7', count: 2 },
    ]);
    const long = `slice ${'x'.repeat(9)} `.repeat(60);
    await made.say('slice', { ...of, attempt: 3, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    await made.say('slice_started', { ...of, ...by, attempt: 3 });
    await made.say('slice_result', { ...of, ...by, attempt: 3, state: 'failed', error: long });
    const clipped = await ask(client, 'summarize', { what: 'slices', group_by: 'cause', order_by: 'key' });
    // At a word, and it says so.
    expect(clipped['groups'].at(-1)['cause']).toBe(`${long.slice(0, 288)}slice…`);
    // An error of another worker is not an example for this one.
    const of1 = await ask(client, 'summarize', { what: 'slices', group_by: 'cause', assigned_worker: 'w/01' });
    expect(of1['groups'][0]).not.toHaveProperty('example');
    const both = await ask(client, 'summarize', { what: 'slices', group_by: 'worker,cause' });
    expect(both['groups'][0]).not.toHaveProperty('example');
  });

  it('of messages, logs, STF files and executions agrees with the rows', async () => {
    const { client, folder, count } = await failingRun();
    await runWorkflow(folder, '--stf-count', '2');
    const all: [what: string, key: string, sql: string][] = [
      ['messages', 'message_type', 'SELECT count(*) AS n FROM message_rows'],
      ['messages', 'agent,status', 'SELECT count(*) AS n FROM message_rows'],
      ['messages', 'day', 'SELECT count(*) AS n FROM message_rows'],
      ['messages', 'minute', 'SELECT count(*) AS n FROM message_rows'],
      ['logs', 'level', 'SELECT count(*) AS n FROM app_logs'],
      ['logs', 'cause', 'SELECT count(*) AS n FROM app_logs'],
      ['logs', 'hour', 'SELECT count(*) AS n FROM app_logs'],
      ['stf_files', 'status', 'SELECT count(*) AS n FROM stf_files'],
      ['stf_files', 'namespace,day', 'SELECT count(*) AS n FROM stf_files'],
      ['executions', 'status', 'SELECT count(*) AS n FROM workflow_executions'],
      ['executions', 'execution_id', 'SELECT count(*) AS n FROM workflow_executions'],
    ];
    for (const [what, group_by, sql] of all) {
      const { groups, total } = await ask(client, 'summarize', { what, group_by, limit: 1000 });
      expect({ what, group_by, sum: sum(groups, 'count'), total: total.count }).toEqual({
        what,
        group_by,
        sum: count(sql),
        total: count(sql),
      });
    }
    const { groups } = await ask(client, 'summarize', {
      what: 'messages',
      group_by: 'message_type',
      execution_id: 'latest',
    });
    expect(groups).toContainEqual({ message_type: 'slice_result', count: 30 });
    const files = await ask(client, 'summarize', { what: 'stf_files', group_by: 'execution_id' });
    expect(files['total']).toMatchObject({ count: 8, bytes: count('SELECT sum(size_bytes) AS n FROM stf_files') });
  });

  it('of messages by day counts each message once, even if a block spans two days or rows were pruned', async () => {
    const { folder, client, count } = await failingRun();
    await runWorkflow(folder, '--stf-count', '30');
    const writer = new Database(join(folder, 'swf.db'));
    // Half of the messages were sent a day before the others: a block in the middle has both.
    writer.exec(`UPDATE message_rows SET sent_ms = sent_ms - 86400000 WHERE seq <= (SELECT max(seq) / 2 FROM message_rows);
      UPDATE time_blocks SET (earliest, latest) = (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', min(sent_ms) / 1000.0, 'unixepoch'),
        strftime('%Y-%m-%dT%H:%M:%fZ', max(sent_ms) / 1000.0, 'unixepoch') FROM message_rows WHERE (seq - 1) / 512 = block) WHERE table_name = 'message_rows'`);
    writer.close();
    const byDay = async (): Promise<number[]> =>
      (await ask(client, 'summarize', { what: 'messages', group_by: 'day' }))['groups'].map(
        (group: Answer) => group['count'],
      );
    const all = (await byDay()).reduce((before, n) => before + n, 0);
    expect(all).toBe(count('SELECT count(*) AS n FROM message_rows'));
    expect((await byDay()).length).toBeGreaterThanOrEqual(2);
    expect((await runCli(['prune', '--keep', '1'], { folder })).code).toBe(0);
    expect((await byDay()).reduce((before, n) => before + n, 0)).toBe(count('SELECT count(*) AS n FROM message_rows'));
    expect((await runCli(['check', '--skip-files'], { folder })).stdout).toMatch(/^ok +blocks/m);
  });

  it('accepts a worker, a status and a time window, as lists do, and reports an unknown name', async () => {
    const made = await storeOfSlices([...doneSlices(4, 2, 600), ...doneSlices(2, 1, 30), { queued: 5, started: 4 }]);
    const client = await connectInProcess(made.path);
    const total = async (args: object): Promise<number> =>
      (await ask(client, 'summarize', { what: 'slices', group_by: 'status', ...args }))['total'].count;
    expect(await total({ time_field: 'completed', start_time: '-2m' })).toBe(2);
    expect(await total({ time_field: 'completed', end_time: '-2m' })).toBe(4);
    expect(await total({ status: 'processing' })).toBe(1);
    expect(await total({ assigned_worker: '3' })).toBe(1);
    expect(await total({ assigned_worker: 'worker-agent-tester-9' })).toBe(7);
    expect(await ask(client, 'summarize', { what: 'slices', group_by: 'status', namespace: 'tset' })).toMatchObject({
      groups: [],
      note: expect.stringMatching(/namespace "tset" was not found; the nearest are test/),
    });
  });

  it('with unknown or unsuitable arguments is refused, with the reason', async () => {
    const client = await connectInProcess((await makeRunningStore()).path);
    const errors: Record<string, string> = {};
    for (const args of [
      { what: 'slices', group_by: 'colour' },
      { what: 'slices', group_by: 'worker,status,day' },
      { what: 'logs', group_by: 'worker' },
      { what: 'slices', group_by: 'statu' },
      { what: 'slices', group_by: 'status', status: 'done' },
      { what: 'messages', group_by: 'agent', assigned_worker: '7' },
      { what: 'messages', group_by: 'agent', time_field: 'completed' },
      { what: 'logs', group_by: 'level', status: 'failed' },
    ])
      errors[JSON.stringify(args)] = await refusal(client, 'summarize', args);
    await expectErrors('summarize', errors);
  });

  it('of a running execution is returned to each of twenty concurrent calls', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', '--stf-count', '20'], { folder });
    await run.saw(/start_run/);
    const client = await connectStdio({ folder });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        ask(client, 'summarize', { what: 'slices', group_by: ['status', 'cause', 'worker'][at % 3] }),
      ),
    );
    expect(answers).toHaveLength(20);
    run.child.kill('SIGINT');
    await run.finished;
  });
});
