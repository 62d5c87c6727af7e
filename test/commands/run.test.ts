import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import {
  runWorkflowProcess,
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { sets } from '../remote/site.ts';

describe('a run', () => {
  it('lets a slot rest if it quickly fails slices that other slots complete, so that none fails permanently', async () => {
    const folder = temporaryFolder();
    const payload = join(folder, 'payload.sh');
    const script = '#!/bin/sh\ncase $SWF_WORKER_ID in *[5-8]) exit 1;; esac\nsleep 0.2\n';
    writeFileSync(payload, script, { mode: 0o755 });
    const settings = ['fast_processing.target_worker_count=8', `worker.payload=["${payload}"]`];
    const run = startCli(['run', '--speed', '20', '--stf-count', '4', '--json', ...sets(...settings)], { folder });
    expect(JSON.parse((await run.finished).stdout)).toMatchObject({ slices_created: 60, slices_failed: 0 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect((await askAll(client, 'list_logs', { search: 'rests until' })).length).toBeGreaterThan(0);
  });

  it('of 3 STFs has 3 files, 3 samples and 45 completed slices, with the same counts in every answer', async () => {
    const folder = temporaryFolder();
    const summary = await runWorkflow(folder, '--stf-count', '3');
    expect(summary).toEqual({
      execution_id: 'stf_datataking-tester-0001',
      run_number: 100_010,
      status: 'completed',
      stf_count: 3,
      tf_files_received: 3,
      slices_created: 45,
      slices_completed: 45,
      slices_failed: 0,
      messages: expect.any(Number),
      duration_seconds: expect.any(Number),
    });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const messages = await askAll(client, 'list_messages', { execution_id: 'latest' });
    const files = await askAll(client, 'list_stf_files', { run_number: 100_010 });
    const slices = await askAll(client, 'list_tf_slices', { run_number: '100010', status: 'completed' });
    expect(messages).toHaveLength(summary['messages'] as number);
    expect(monitor).toMatchObject({
      message_count: messages.length,
      stf_count: files.length,
      tf_files_received: 3,
      slices_completed: slices.length,
      dataset: { name: 'swf.100010.run', state: 'final', files: 3, bytes: 3 * 64_000 },
    });
    const types: Record<string, number> = {};
    for (const { message_type } of messages) types[message_type] = (types[message_type] ?? 0) + 1;
    expect(types).toEqual({
      run_workflow: 1,
      driver_started: 1,
      driver_ended: 1,
      run_imminent: 1,
      start_run: 1,
      stf_gen: 3,
      stf_ready: 3,
      tf_file_registered: 3,
      slice: 45,
      slice_started: 45,
      slice_result: 45,
      end_run: 1,
      workflow_ended: 1,
    });
    expect(messages.every((message) => message['effect'] === 'applied')).toBe(true);
  });

  it('writes files with the sizes and checksums that the store records', async () => {
    const folder = temporaryFolder();
    const { execution_id } = await runWorkflow(folder, '--stf-count', '2');
    const client = await connectInProcess(join(folder, 'swf.db'));
    const data = join(folder, 'swf.db.data', execution_id as string);
    expect(readdirSync(data).toSorted()).toEqual([
      'swf.100010.000001.stf',
      'swf.100010.000001_tf_001.tf',
      'swf.100010.000002.stf',
      'swf.100010.000002_tf_001.tf',
    ]);
    for (const file of await askAll(client, 'list_stf_files')) {
      const content = readFileSync(join(data, file['stf_filename'] as string));
      expect(file).toMatchObject({
        size_bytes: content.length,
        checksum: `sha256:${createHash('sha256').update(content).digest('hex')}`,
      });
    }
  });

  it('samples exactly 25 of 100 STFs at a rate of 0.25', async () => {
    const summary = await runWorkflow(
      temporaryFolder(),
      '--stf-count',
      '100',
      '--set',
      'fast_processing.stf_sampling_rate=0.25',
    );
    expect(summary).toMatchObject({
      stf_count: 100,
      tf_files_received: 25,
      slices_created: 375,
      slices_completed: 375,
    });
  });

  it('goes through three physics periods of a given duration, with standby between them', async () => {
    const folder = temporaryFolder();
    const summary = await runWorkflow(folder, '--stf-count', '0', '--set', 'daq_state_machine.physics_period_count=3');
    expect(summary).toMatchObject({ status: 'completed', stf_count: 15 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const numbers = async (message_type: string): Promise<unknown[]> => {
      const items = await askAll(client, 'list_messages', { execution_id: 'latest', message_type, order: 'oldest' });
      return items.map(({ message_id }) => message_id.split('/').at(-1));
    };
    expect({ pauses: await numbers('pause_run'), resumes: await numbers('resume_run') }).toEqual({
      pauses: ['1', '3'],
      resumes: ['2', '4'],
    });
  });

  it('has the same outcome at a limited speed, at full speed, and without files', async () => {
    const outcome = async (folder: string): Promise<Answer[]> => {
      const client = await connectInProcess(join(folder, 'swf.db'));
      const slices = await askAll(client, 'list_tf_slices', { limit: 200 });
      return slices.map(({ slice_filename, tf_first, tf_last, status }) => ({
        slice_filename,
        tf_first,
        tf_last,
        status,
      }));
    };
    const [scaled, virtual, bare] = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
    const settings = ['--stf-count', '2', '--set', 'fast_processing.slice_processing_time=1'];
    await Promise.all([
      runCli(['run', '--speed', '100', ...settings], { folder: scaled }).then(({ code }) => expect(code).toBe(0)),
      runWorkflow(virtual, ...settings),
      runWorkflow(bare, ...settings, '--set', 'data.write_files=false'),
    ]);
    expect(await outcome(scaled)).toEqual(await outcome(virtual));
    expect(await outcome(bare)).toEqual(await outcome(virtual));
    expect(existsSync(join(bare, 'swf.db.data'))).toBe(false);
  });

  it('completes alongside three other runs on the same store, while a server reads it', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectInProcess(join(folder, 'swf.db'));
    const running = Promise.all(Array.from({ length: 4 }, () => runWorkflowProcess(folder, '--stf-count', '10')));
    const ended = { yet: false };
    void running.finally(() => (ended.yet = true));
    while (!ended.yet) {
      await ask(client, 'list_messages', { limit: 200 });
      await delay(5);
    }
    const summaries = await running;
    expect(new Set(summaries.map(({ run_number }) => run_number)).size).toBe(4);
    for (const summary of summaries)
      expect(summary).toMatchObject({ status: 'completed', slices_completed: 150, slices_failed: 0 });
  });

  it('fails only the slice with a corrupted frame, after three retries, and exits with 3', async () => {
    const folder = temporaryFolder();
    // One worker, slices of 0.1 s: the last slice of the sample is read a good second after the sample is written.
    const started = startCli(
      [
        'run',
        '--stf-count',
        '2',
        '--speed',
        '1000',
        '--json',
        '--set',
        'fast_processing.target_worker_count=1',
        '--set',
        'fast_processing.slice_processing_time=100',
      ],
      { folder },
    );
    const sample = join(folder, 'swf.db.data', 'stf_datataking-tester-0001', 'swf.100010.000001_tf_001.tf');
    while (!existsSync(sample)) await delay(2);
    const content = readFileSync(sample);
    const at = 147 * 64 + 40;
    content[at] = (content[at] as number) ^ 1;
    writeFileSync(sample, content);

    const { code, stdout } = await started.finished;
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      slices_created: 30,
      slices_completed: 29,
      slices_failed: 1,
    });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const [failed, ...others] = await askAll(client, 'list_tf_slices', { status: 'failed' });
    expect(others).toEqual([]);
    expect(failed).toMatchObject({
      slice_filename: 'swf.100010.000001_slice_014.tf',
      retries: 3,
      error: expect.stringMatching(/^swf\.100010\.000001_tf_001\.tf: frame \d+ does not match its checksum$/),
    });
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({ status: 'completed', health: 'finished', slices_failed: 1 });
    // The cause is named once: the log line about it is not among the errors.
    expect(monitor['causes']).toMatchObject([
      { attempts: 4, cause: expect.stringContaining('does not match its checksum') },
    ]);
    expect(monitor['errors']).toEqual([]);
    expect(await askAll(client, 'list_messages', { message_type: 'slice_result', search: '"failed"' })).toHaveLength(4);
  });

  it('is refused in one line if its data folder cannot be created, and starts no execution', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const { code, stdout, stderr } = await runCli(['run', '--speed', 'max', '--json', '--set', 'data.dir=file'], {
      folder,
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^DATA_UNAVAILABLE: [^\n]+\n$/),
    });
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(await ask(client, 'list_workflow_executions')).toMatchObject({ total_count: 0 });
  });

  it('fails with the reason if an agent fails on a message three times, and exits with 3', async () => {
    const folder = temporaryFolder();
    const started = startCli(['run', '--stf-count', '20', '--speed', '50', '--json'], { folder });
    await started.saw(/start_run/);
    // Fastmon cannot write its file, since a folder has the same name.
    mkdirSync(join(folder, 'swf.db.data', 'stf_datataking-tester-0001', 'swf.100010.000005_tf_001.tf'));
    const { code, stdout, stderr } = await started.finished;
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.not.stringMatching(/bug|\bat .*:\d+/) });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed' });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({
      status: 'failed',
      health: 'failed',
      phase: 'completed',
      status_reason: expect.stringMatching(/^fastmon-agent-tester-3 failed 3 times on stf_ready: /),
      end_time: expect.any(String),
    });
    expect(monitor['findings'][0]).toMatchObject({ code: 'EXECUTION_FAILED', severity: 'error' });
  });

  it('completes even if nothing reads its output', async () => {
    const folder = temporaryFolder();
    const started = startCli(['run', '--stf-count', '2', '--speed', '100'], { folder });
    await started.saw(/run_imminent/);
    started.child.stdout?.destroy();
    started.child.stderr?.destroy();
    expect(await started.finished).toMatchObject({ code: 0 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
      status: 'completed',
    });
  });

  it('ends with a one-line error if its data folder disappears, and can be resumed with no attempt used up', async () => {
    const folder = temporaryFolder();
    const settings = [
      '--stf-count',
      '20',
      '--set',
      'fastmon.tf_samples_per_stf=5',
      '--set',
      'fast_processing.slice_processing_time=2',
    ];
    const started = startCli(['run', '--speed', '50', ...settings], { folder });
    await started.saw(/start_run/);
    const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
    while (!existsSync(join(data, 'swf.100010.000003.stf'))) await delay(2);
    renameSync(data, `${data}.gone`);
    const { code, stderr } = await started.finished;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^DATA_UNAVAILABLE: the data folder [^\n]+\n$/),
    });
    const early = await runCli(['resume', 'latest', '--speed', 'max'], { folder });
    expect({ code: early.code, there: existsSync(data) }).toEqual({ code: 1, there: false });
    renameSync(`${data}.gone`, data);
    const { stdout } = await runCli(['resume', 'latest', '--speed', 'max', '--json'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      stf_count: 20,
      slices_completed: 1500,
      slices_failed: 0,
    });
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(
      await ask(client, 'list_messages', { message_type: 'slice_result', search: '"state":"failed"' }),
    ).toMatchObject({ total_count: 0 });
  });

  it('has one failed slice if a frame is overwritten with another frame', async () => {
    const folder = temporaryFolder();
    const started = startCli(
      [
        'run',
        '--stf-count',
        '1',
        '--speed',
        '1000',
        '--json',
        '--set',
        'fast_processing.target_worker_count=1',
        '--set',
        'fast_processing.slice_processing_time=200',
        '--set',
        'worker.max_retries=0',
      ],
      { folder },
    );
    const sample = join(folder, 'swf.db.data', 'stf_datataking-tester-0001', 'swf.100010.000001_tf_001.tf');
    while (!existsSync(sample)) await delay(2);
    const content = readFileSync(sample);
    content.copy(content, 140 * 64, 50 * 64, 51 * 64);
    writeFileSync(sample, content);
    const { code, stdout } = await started.finished;
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 14, slices_failed: 1 });
  });

  it('is refused if another store has written files for an execution with the same id', async () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()] as const;
    await runWorkflow(one, '--stf-count', '1');
    const { code, stderr } = await runCli(['run', '--speed', 'max', '--set', `data.dir=${join(one, 'swf.db.data')}`], {
      folder: two,
    });
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('CONFIG_INVALID');
    expect(await askAll(await connectInProcess(join(two, 'swf.db')), 'list_workflow_executions')).toEqual([]);
  });

  it('ends immediately if it is interrupted twice', async () => {
    const folder = temporaryFolder();
    const started = startCli(['run', '--speed', '1'], { folder });
    await started.saw(/execution /);
    // Another program holds the store, so the orderly end has to wait.
    const other = new Database(join(folder, 'swf.db'));
    other.exec('BEGIN IMMEDIATE');
    started.child.kill('SIGINT');
    await started.saw(/ending the run/);
    started.child.kill('SIGINT');
    expect(await started.finished).toMatchObject({ code: 130 });
    other.close();
  });

  it('without end or delays can be interrupted', async () => {
    const folder = temporaryFolder();
    const zero = [
      'no_beam_not_ready_delay',
      'beam_not_ready_delay',
      'beam_ready_delay',
      'broadcast_delay',
      'standby_duration',
      'physics_period_duration',
      'beam_not_ready_end_delay',
    ];
    const settings = zero.flatMap((key) => ['--set', `daq_state_machine.${key}=0`]);
    const started = startCli(
      [
        'run',
        '--stf-count',
        '0',
        '--speed',
        '1',
        '--json',
        '--set',
        'fast_processing.physics_period_count=0',
        ...settings,
      ],
      { folder },
    );
    await started.saw(/resume_run/);
    started.child.kill('SIGTERM');
    expect(await started.finished).toMatchObject({ code: 130 });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops cleanly on %s: the execution ends, and its agents exit',
    async (signal) => {
      const folder = temporaryFolder();
      const started = startCli(['run', '--stf-count', '3', '--speed', '20', '--json'], { folder });
      await started.saw(/start_run/);
      started.child.kill(signal);
      const { code, stdout } = await started.finished;
      expect(code).toBe(130);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'terminated' });
      const client = await connectInProcess(join(folder, 'swf.db'));
      expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
        status: 'terminated',
        status_reason: `interrupted by ${signal}`,
        phase: 'completed',
        health: 'finished',
        end_time: expect.any(String),
      });
      const messages = await askAll(client, 'list_messages', { execution_id: 'latest' });
      // A DAQ step that was under way may come after the stop.
      const told = messages.filter(({ message_type }) =>
        /^(workflow_ended|driver_ended|end_run|stop_workflow)$/.test(message_type as string),
      );
      expect(told.map(({ message_type, effect }) => `${message_type} ${effect}`)).toEqual([
        'workflow_ended applied',
        'driver_ended applied',
        'end_run applied',
        'stop_workflow applied',
      ]);
      const agents = await askAll(client, 'list_agents', { execution_id: 'latest' });
      expect(agents.map(({ state }) => state)).toEqual(['EXITED', 'EXITED', 'EXITED', 'EXITED', 'EXITED']);
    },
  );
});
