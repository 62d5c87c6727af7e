import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { recordCommand } from '../../src/runtime/commands.ts';
import { codeOf } from '../codes.ts';
import {
  runCliProcess,
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runCli,
  settled,
  type Started,
  startCli,
  temporaryFolder,
} from '../helpers.ts';

/** An endless run with one period of days; it makes ten STFs and processes a hundred slices per second. */
const endless = [
  '--speed',
  '20',
  ...[
    'fast_processing.physics_period_count=0',
    'fast_processing.stf_count=1000000',
    'fast_processing.slice_processing_time=1',
  ].flatMap((set) => ['--set', set]),
];

async function startEndless(...args: string[]): Promise<{ folder: string; run: Started }> {
  const folder = temporaryFolder();
  const run = startCli(['run', ...endless, ...args], { folder });
  await run.saw(/execution /);
  return { folder, run };
}

const monitorOf = async (folder: string): Promise<Answer> =>
  ask(await connectInProcess(join(folder, 'swf.db')), 'get_workflow_monitor', { execution_id: 'latest' });

/** The messages of these types in the order of the log, with their bodies. */
async function said(folder: string, ...types: string[]): Promise<Answer[]> {
  const client = await connectInProcess(join(folder, 'swf.db'));
  const messages = await askAll(client, 'list_messages', { execution_id: 'latest', order: 'oldest', limit: 200 });
  return messages.filter(({ message_type }) => types.includes(message_type as string));
}

async function until(folder: string, wanted: Answer): Promise<void> {
  await expect.poll(() => monitorOf(folder), { interval: 50 }).toMatchObject(wanted);
}

const control = (folder: string, action: string) => runCli([action, 'latest'], { folder });

describe('the trace of a waiting slice', () => {
  it('says why the slice waits: earlier slices, a pause, or a missing driver', async () => {
    const { folder, run } = await startEndless('--set', 'fast_processing.target_worker_count=1');
    await until(folder, { phase: 'physics' });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const standing = async (): Promise<string> => {
      const [waiting] = await askAll(client, 'list_tf_slices', { status: 'queued', order: 'newest', limit: 1 });
      if (waiting === undefined) return '';
      return (await ask(client, 'trace_data_product', { filename: waiting['slice_filename'] }))['standing'] as string;
    };
    await expect.poll(standing).toMatch(/^waits; \d+ queued slices come before it, about \d+ s of work for 1 worker$/);
    await control(folder, 'pause');
    await expect.poll(standing).toMatch(/^waits: the execution was paused by tester at /);
    run.child.kill('SIGKILL');
    await run.finished;
    await expect.poll(standing).toBe('waits: no process drives the execution');
  });
});

describe('the trace of an STF file', () => {
  it('says so if the plan does not sample the file', async () => {
    const folder = temporaryFolder();
    const args = ['--stf-count', '2', '--set', 'fast_processing.stf_sampling_rate=0.5'];
    await runCli(['run', '--speed', 'max', ...args], { folder });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const standings = [];
    for (const stf of ['swf.100010.000001.stf', 'swf.100010.000002.stf'])
      standings.push((await ask(client, 'trace_data_product', { filename: stf }))['standing']);
    expect(standings).toEqual(['not sampled: stf_sampling_rate is 0.5', undefined]);
  });
});

describe('pause', () => {
  it('stops STFs and workers until continue; both commands return once they have taken effect', async () => {
    const { folder, run } = await startEndless();
    await until(folder, { phase: 'physics' });
    expect(await control(folder, 'pause')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^stf_datataking-tester-0001 is paused: .*swf-mcp continue stf_datataking-tester-0001/,
      ),
    });
    await until(folder, { phase: 'standby', health: 'paused', paused_by: { name: 'tester' }, slices_processing: 0 });
    const paused = await monitorOf(folder);
    expect(await control(folder, 'pause')).toMatchObject({
      code: 0,
      stdout: 'stf_datataking-tester-0001 is already paused\n',
    });
    expect(await monitorOf(folder)).toMatchObject({
      stf_count: paused['stf_count'],
      slices_completed: paused['slices_completed'],
    });

    expect(await control(folder, 'continue')).toMatchObject({
      code: 0,
      stdout: 'stf_datataking-tester-0001 continues\n',
    });
    expect(await control(folder, 'continue')).toMatchObject({
      code: 0,
      stdout: 'stf_datataking-tester-0001 is not paused\n',
    });
    await until(folder, { phase: 'physics' });
    await expect
      .poll(async () => (await monitorOf(folder))['stf_count'] as number)
      .toBeGreaterThan(paused['stf_count'] as number);

    const messages = await said(folder, 'pause_workflow', 'pause_run', 'resume_workflow', 'resume_run');
    expect(messages.map(({ message_type, effect }) => `${message_type} ${effect}`)).toEqual([
      'pause_workflow applied',
      'pause_run applied',
      'pause_workflow none',
      'resume_workflow applied',
      'resume_run applied',
      'resume_workflow none',
    ]);
    expect(messages[1]?.['body']).toMatchObject({ ordinal: 1, reason: 'operator' });
    expect(messages[4]?.['body']).toMatchObject({ ordinal: 2, reason: 'operator' });

    expect(await control(folder, 'stop')).toMatchObject({ code: 0, stdout: expect.stringMatching(/is stopped/) });
    expect((await run.finished).code).toBe(4);
  });

  it('stops the clock of a period, so that the run still makes all its STFs', async () => {
    const folder = temporaryFolder();
    const sets = [
      'fast_processing.stf_count=0',
      'daq_state_machine.physics_period_duration=20',
      'fast_processing.slice_processing_time=1',
    ];
    const run = startCli(['run', '--speed', '10', ...sets.flatMap((set) => ['--set', set])], { folder });
    await run.saw(/start_run/);
    // Not by a separate process, whose start may take longer than the period.
    const store = await openStore(join(folder, 'swf.db'));
    await recordCommand(store, 'latest', { action: 'pause', by: { name: 'tester' } });
    store.close();
    await until(folder, { phase: 'standby', health: 'paused' });
    // Longer than what was left of the period.
    await delay(2200);
    expect((await control(folder, 'continue')).code).toBe(0);
    expect((await run.finished).code).toBe(0);
    expect(await monitorOf(folder)).toMatchObject({ status: 'completed', stf_count: 10, slices_completed: 150 });
  });

  it('only delays the next step if requested before physics or in standby', async () => {
    const { folder } = await startEndless(
      ...['daq_state_machine.standby_duration=120', 'daq_state_machine.no_beam_not_ready_delay=60'].flatMap((set) => [
        '--set',
        set,
      ]),
      '--stf-count',
      '1',
    );
    expect((await control(folder, 'pause')).code).toBe(0);
    expect(await monitorOf(folder)).toMatchObject({ health: 'paused', stf_count: 0 });
    expect((await control(folder, 'continue')).code).toBe(0);
    await until(folder, { phase: 'standby', stf_count: 1, health: 'paused' });
    expect((await control(folder, 'pause')).code).toBe(0);
    // Longer than what was left of the standby.
    await delay(6300);
    expect(await monitorOf(folder)).toMatchObject({ phase: 'standby', health: 'paused' });
    expect((await control(folder, 'continue')).code).toBe(0);
    await expect.poll(async () => (await monitorOf(folder))['stf_count']).toBeGreaterThan(1);
    const reasons = await said(folder, 'pause_run', 'resume_run');
    for (const { body } of reasons) expect(body).toMatchObject({ reason: 'period' });
    expect((await control(folder, 'stop')).code).toBe(0);
  });

  it('at full speed stops virtual time', async () => {
    const { folder, run } = await startEndless('--speed', 'max');
    await until(folder, { phase: 'physics' });
    expect((await control(folder, 'pause')).code).toBe(0);
    await until(folder, { phase: 'standby', slices_processing: 0 });
    await settled(async () => (await monitorOf(folder))['message_count'] as number);
    expect((await control(folder, 'continue')).code).toBe(0);
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await run.finished).code).toBe(4);
  });

  it('is refused with the reason if the DAQ of the run has finished', async () => {
    const folder = temporaryFolder();
    const run = startCli(
      ['run', '--speed', '20', '--stf-count', '1', '--set', 'fast_processing.slice_processing_time=60'],
      { folder },
    );
    await run.saw(/end_run/);
    const { code, stderr } = await control(folder, 'pause');
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('EXECUTION_NOT_RUNNING');
    expect((await run.finished).code).toBe(0);
  });

  it('is dropped by resume if a killed process never received it, and so is a stop', async () => {
    const { folder, run } = await startEndless();
    await until(folder, { phase: 'physics' });
    run.child.kill('SIGKILL');
    await run.finished;
    const store = await openStore(join(folder, 'swf.db'));
    for (const action of ['pause', 'stop'] as const)
      await recordCommand(store, 'latest', { action, by: { name: 'tester' }, reason: 'unheard' });
    store.close();
    const resumed = startCli(['resume', 'latest'], { folder });
    const before = (await monitorOf(folder))['stf_count'] as number;
    await expect.poll(async () => (await monitorOf(folder))['stf_count'] as number).toBeGreaterThan(before);
    const commands = await said(folder, 'pause_workflow', 'stop_workflow');
    expect(commands.map(({ effect, effect_reason }) => `${effect}: ${effect_reason}`)).toEqual([
      'none: the process that drove it was gone',
      'none: the process that drove it was gone',
    ]);
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await resumed.finished).code).toBe(4);
  });

  it('ends when the execution is resumed after its process was killed', async () => {
    const { folder, run } = await startEndless();
    await until(folder, { phase: 'physics' });
    expect((await control(folder, 'pause')).code).toBe(0);
    run.child.kill('SIGKILL');
    await run.finished;
    expect(await monitorOf(folder)).toMatchObject({ health: 'stalled', phase: 'standby' });
    for (const action of ['pause', 'continue']) {
      const { code, stderr } = await control(folder, action);
      expect(code).toBe(1);
      expect(codeOf(stderr)).toBe('EXECUTION_NOT_RUNNING');
    }
    const resumed = startCli(['resume', 'latest'], { folder });
    await resumed.saw(/resume_run: physics/);
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await resumed.finished).code).toBe(4);
  });
});

describe('stop', () => {
  it('ends the log cleanly and cuts no slice short, even with 200 workers', async () => {
    const { folder, run } = await startEndless(
      '--speed',
      '1000',
      ...[
        'fast_processing.target_worker_count=200',
        'fast_processing.slice_processing_time=50',
        'data.write_files=false',
      ].flatMap((set) => ['--set', set]),
    );
    await expect.poll(async () => (await monitorOf(folder))['slices_completed'] as number).toBeGreaterThan(0);
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await run.finished).code).toBe(4);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const { items } = await ask(client, 'list_messages', { execution_id: 'latest', limit: 200 });
    const types = (items as Answer[]).map(({ message_type }) => message_type as string);
    expect(types.slice(0, 3)).toEqual(['workflow_ended', 'driver_ended', 'end_run']);
    const results = await askAll(client, 'list_messages', {
      execution_id: 'latest',
      message_type: 'slice_result',
      limit: 200,
    });
    for (const { body } of results) expect((body as Answer)['processing_seconds']).toBeGreaterThanOrEqual(50);
  });

  it('succeeds for two simultaneous callers', async () => {
    const { folder, run } = await startEndless();
    await until(folder, { phase: 'physics' });
    const answers = await Promise.all([control(folder, 'stop'), control(folder, 'stop')]);
    expect(answers.map(({ code }) => code)).toEqual([0, 0]);
    expect(await control(folder, 'stop')).toMatchObject({
      code: 0,
      stdout: 'stf_datataking-tester-0001 is already stopped\n',
    });
    expect((await run.finished).code).toBe(4);
  });

  it('ends a run cleanly: end_run is sent, and slices in hand return to the queue', async () => {
    const { folder, run } = await startEndless('--set', 'fast_processing.slice_processing_time=100');
    await until(folder, { slices_processing: 30 });
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await run.finished).code).toBe(4);
    expect(await monitorOf(folder)).toMatchObject({
      status: 'terminated',
      status_reason: 'stopped by tester',
      phase: 'completed',
      health: 'finished',
      slices_processing: 0,
    });
    const { slices_queued, slices_created } = await monitorOf(folder);
    expect(slices_queued).toBe(slices_created);
    const [endRun, ended] = await said(folder, 'end_run', 'workflow_ended');
    expect(endRun?.['body']).toMatchObject({ reason: 'stopped' });
    expect(ended?.['body']).toMatchObject({
      status: 'terminated',
      reason: 'stopped by tester',
      slices_queued,
      slices_processing: 0,
    });
    const slices = await askAll(await connectInProcess(join(folder, 'swf.db')), 'list_tf_slices', { limit: 200 });
    expect(slices.filter((one) => one['status'] !== 'queued' || 'assigned_worker' in one)).toEqual([]);
    // The file of the next STF was written ahead. A file that was never announced is removed.
    const announced = await askAll(await connectInProcess(join(folder, 'swf.db')), 'list_stf_files', { limit: 200 });
    const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
    expect(
      readdirSync(data)
        .filter((name) => !name.endsWith('.tf'))
        .toSorted(),
    ).toEqual(announced.map((one) => one['stf_filename'] as string).toSorted());
  });

  it('ends an execution whose process was killed, without starting a process', async () => {
    const { folder, run } = await startEndless();
    await until(folder, { phase: 'physics' });
    run.child.kill('SIGKILL');
    await run.finished;
    const killed = await monitorOf(folder);
    // Two operators at once.
    const stop = () => runCliProcess(['stop', 'latest'], { folder });
    const stops = await Promise.all([stop(), stop()]);
    for (const one of stops)
      expect(one).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/ (is stopped|is already stopped|has ended)/),
        stderr: '',
      });
    expect(await monitorOf(folder)).toMatchObject({
      status: 'terminated',
      phase: 'completed',
      stf_count: killed['stf_count'],
    });
  });

  it('accepts a reason, and escapes its control characters', async () => {
    const { folder, run } = await startEndless();
    const stop = (reason: string) => runCli(['stop', 'latest', '--reason', reason], { folder });
    expect(await stop('')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ARGUMENT_INVALID: --reason/) });
    expect(await stop('x'.repeat(301))).toMatchObject({ code: 1 });
    expect(await stop('\u001B[31mred\nand')).toMatchObject({ code: 0 });
    const { stdout } = await run.finished;
    expect(stdout).toContain(String.raw`terminated (\u{1b}[31mred\nand)`);
    expect(stdout).not.toContain('\u001B');
  });

  it('is refused in one line if the execution has ended or is unknown, or if there is no store', async () => {
    const folder = temporaryFolder();
    expect(await control(folder, 'stop')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^STORE_UNAVAILABLE: .*\n$/),
    });
    await runCli(['run', '--speed', 'max', '--stf-count', '1'], { folder });
    expect(await control(folder, 'stop')).toMatchObject({
      code: 1,
      stderr: 'EXECUTION_NOT_RUNNING: stf_datataking-tester-0001 has ended (completed); there is nothing to stop\n',
    });
    expect(await runCli(['stop', 'stf_datataking-tester-0002'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EXECUTION_NOT_FOUND: .*the nearest: stf_datataking-tester-0001/),
    });
  });
});
