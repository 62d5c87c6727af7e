import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { codeOf } from '../codes.ts';
import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';

const settings = [
  '--stf-count',
  '20',
  '--set',
  'fast_processing.physics_period_count=2',
  '--set',
  'fast_processing.stf_sampling_rate=0.5',
];

/** The outcome that an interruption must not change: everything but workers, processes and times. */
async function outcome(folder: string): Promise<unknown> {
  const client = await connectInProcess(join(folder, 'swf.db'));
  const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
  const files = await askAll(client, 'list_stf_files', { limit: 200, order: 'oldest' });
  const slices = await askAll(client, 'list_tf_slices', { limit: 200 });
  const messages = await askAll(client, 'list_messages', { execution_id: 'latest', limit: 200 });
  const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
  return {
    counts: [
      'status',
      'phase',
      'stf_count',
      'tf_files_received',
      'slices_created',
      'slices_completed',
      'slices_failed',
      'dataset',
    ].map((key) => monitor[key]),
    files: files.map(({ stf_filename, status, checksum, size_bytes, tf_file_count, slice_count }) => ({
      stf_filename,
      status,
      checksum,
      size_bytes,
      tf_file_count,
      slice_count,
    })),
    slices: slices
      .map(({ slice_filename, tf_first, tf_last, status, retries }) => [
        slice_filename,
        tf_first,
        tf_last,
        status,
        retries,
      ])
      .toSorted(),
    messages: messages
      .filter(({ message_type }) => !/^(slice_started|run_workflow|driver_\w+)$/.test(message_type as string))
      .map(({ message_id, message_type }) =>
        message_type === 'slice_result' ? message_id.replace(/\/worker-agent.*$/, '') : message_id,
      )
      .toSorted(),
    onDisk: readdirSync(data)
      .toSorted()
      .map((name) => [name, readFileSync(join(data, name)).toString('base64').slice(0, 200)]),
  };
}

/** Attempts with more than one result: their finished work was done again. */
function resultsTwice(folder: string): unknown[] {
  const db = openReader(join(folder, 'swf.db'));
  const rows = db
    .prepare(
      `SELECT json_extract(payload, '$.slice_filename') AS slice, json_extract(body, '$.attempt') AS attempt, count(*) AS n
       FROM workflow_messages WHERE message_type = 'slice_result' GROUP BY slice, attempt HAVING n > 1`,
    )
    .all();
  db.close();
  return rows;
}

async function undisturbed(): Promise<unknown> {
  const folder = temporaryFolder();
  await runWorkflow(folder, ...settings);
  return outcome(folder);
}

describe('a run that is killed and resumed', () => {
  // 2 × 20 STFs at this speed take about a second; a kill at each point hits another stage.
  it.each([
    ['before physics', /run_imminent/, 0],
    ['in the first period', /start_run/, 80],
    ['in the second period', /resume_run/, 60],
    ['while it drains', /end_run/, 10],
  ])('%s has the outcome of an undisturbed run, and repeats no finished slice', async (_, stage, milliseconds) => {
    const folder = temporaryFolder();
    const started = startCli(['run', '--speed', '200', ...settings], { folder });
    await started.saw(stage);
    await new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
    started.child.kill('SIGKILL');
    expect(await started.finished).toMatchObject({ signal: 'SIGKILL' });

    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
      status: 'running',
      health: 'stalled',
    });
    expect(await askAll(client, 'list_workflow_executions')).toMatchObject([{ silent_seconds: expect.any(Number) }]);
    expect((await runCli(['list'], { folder })).stdout).toMatch(/ stalled .* silent \d/);

    const resumed = await runCli(['resume', 'latest', '--speed', 'max', '--json'], { folder });
    expect(resumed).toMatchObject({ code: 0 });
    expect(JSON.parse(resumed.stdout)).toMatchObject({
      status: 'completed',
      stf_count: 40,
      slices_completed: 300,
      slices_failed: 0,
    });
    expect(await outcome(folder)).toEqual(await undisturbed());
    expect(resultsTwice(folder)).toEqual([]);
  });

  it('has the same outcome as an undisturbed run, even after several kills', async () => {
    const folder = temporaryFolder();
    let args = ['run', '--speed', '400', ...settings];
    let kills = 0;
    let ended: Answer | undefined;
    while (ended === undefined) {
      const started = startCli([...args, '--json'], { folder });
      // Wait until it drives the execution or prints that all was done: an earlier kill leaves nothing to resume.
      await started.saw(/execution |"status"/);
      const timer = setTimeout(() => started.child.kill('SIGKILL'), 60 + kills * 25);
      const { signal, code, stdout } = await started.finished;
      clearTimeout(timer);
      if (signal === null) {
        expect(code).toBe(0);
        ended = JSON.parse(stdout) as Answer;
      } else kills += 1;
      args = ['resume', 'latest', '--speed', '400'];
    }
    expect(kills).toBeGreaterThan(2);
    expect(ended).toMatchObject({ status: 'completed', slices_completed: 300 });
    expect(await outcome(folder)).toEqual(await undisturbed());
    expect(resultsTwice(folder)).toEqual([]);
  });
});

describe('resume', () => {
  it('is refused while a process drives the run', async () => {
    const folder = temporaryFolder();
    const started = startCli(['run', '--speed', '1'], { folder });
    await started.saw(/execution |"status"/);
    const { code, stderr } = await runCli(['resume', 'latest'], { folder });
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('EXECUTION_IN_USE');
  });

  it('warns once that the payload has changed, and the monitor keeps saying so', async () => {
    const folder = temporaryFolder();
    const payload = join(folder, 'recon.sh');
    writeFileSync(payload, '#!/bin/sh\nsleep 0.05\n', { mode: 0o755 });
    const args = ['run', '--speed', '1', '--stf-count', '2000', '--set', `worker.payload=["${payload}"]`];
    const started = startCli(args, { folder });
    await started.saw(/stf_ready|start_run/);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const count = async () => Number((await ask(client, 'list_tf_slices', { limit: 1 }))['total_count']);
    const moreThan = (n: number) => expect.poll(count).toBeGreaterThan(n);
    await moreThan(0);
    const changed =
      /WARNING .*since this execution was last driven, the payload has changed from recon\.sh sha256:\w{12}… to recon\.sh sha256:\w{12}…/;
    const killed = async (run: typeof started): Promise<string> => {
      run.child.kill('SIGKILL');
      return (await run.finished).stderr;
    };
    await killed(started);
    const same = startCli(['resume', 'latest'], { folder });
    await moreThan(await count());
    expect(await killed(same)).not.toMatch(changed);
    writeFileSync(payload, '#!/bin/sh\nsleep 0.06\n');
    const other = startCli(['resume', 'latest'], { folder });
    await other.saw(changed);
    await killed(other);
    const again = startCli(['resume', 'latest'], { folder });
    await moreThan(await count());
    expect(await killed(again)).not.toMatch(changed);
    expect((await ask(client, 'list_logs', { search: 'payload has changed' }))['total_count']).toBe(1);
    const { findings } = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(findings).toContainEqual(expect.objectContaining({ code: 'PAYLOAD_CHANGED' }));
  });

  it('of an ended execution prints its summary and exits with 0', async () => {
    const folder = temporaryFolder();
    const summary = await runWorkflow(folder, '--stf-count', '1');
    const { code, stdout } = await runCli(['resume', summary['execution_id'] as string, '--json'], { folder });
    expect({ code, summary: JSON.parse(stdout) as unknown }).toEqual({ code: 0, summary });
  });

  it('of an unknown execution suggests the nearest one', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const { code, stderr } = await runCli(['resume', 'stf_datataking-tester-0002'], { folder });
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('EXECUTION_NOT_FOUND');
  });
});
