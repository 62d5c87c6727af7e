import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import { ask, connectStdio, refusal, runWorkflow, temporaryFolder } from '../helpers.ts';

const set = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

describe('the plan of a run', () => {
  it.each([
    ['default settings', []],
    ['more workers', ['--stf-count', '40', ...set('fast_processing.target_worker_count=100')]],
    [
      'several periods and a sampling rate',
      ['--stf-count', '20', ...set('fast_processing.physics_period_count=3', 'fast_processing.stf_sampling_rate=0.29')],
    ],
    [
      'periods by duration and three samples per STF',
      set('fast_processing.stf_count=0', 'fast_processing.physics_period_count=2', 'fastmon.tf_samples_per_stf=3'),
    ],
    [
      'few frames and short slices',
      ['--stf-count', '7', ...set('daq_state_machine.tf_per_stf=20', 'fast_processing.slice_processing_time=0.5')],
    ],
  ])('with %s matches the real run: counts and bytes exactly, times within 2 %', async (_, args) => {
    const folder = temporaryFolder();
    const run = await runWorkflow(folder, ...args);
    const client = await connectStdio({ folder });
    const plan = await ask(client, 'plan_run', { execution_id: 'latest' });
    const db = new Database(join(folder, 'swf.db'), { readonly: true });
    const { tick, bytes } = db
      .prepare(
        `SELECT max(CAST(simulation_tick AS REAL)) AS tick,
           (SELECT sum(size_bytes) FROM stf_files) + (SELECT sum(size_bytes) FROM fastmon_files) AS bytes FROM message_rows`,
      )
      .get() as { tick: number; bytes: number };
    db.close();
    expect(plan).toMatchObject({
      stf_files: run['stf_count'],
      tf_files: run['tf_files_received'],
      slices: run['slices_created'],
      messages: run['messages'],
      data_bytes: bytes,
    });
    expect(Math.abs(plan['total_seconds'] / tick - 1)).toBeLessThan(0.02);
  });

  it('uses the measured time of slices if the run has a payload', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1', '--speed', '5', ...set('worker.payload=["sh","-c","sleep 0.2"]'));
    const client = await connectStdio({ folder });
    const { assumptions, total_seconds } = await ask(client, 'plan_run', { execution_id: 'latest' });
    const [, seconds, slices] =
      /^each slice takes ([\d.]+) s, the average of the (\d+) completed slices/.exec(assumptions[0]) ?? [];
    // 0.2 s of real time and the start of a process, at five times real speed.
    expect(Number(seconds)).toBeGreaterThan(1);
    expect(Number(slices)).toBe(15);
    const slower = await ask(client, 'plan_run', { execution_id: 'latest', slice_processing_time: 60 });
    expect(slower['assumptions'][0]).toMatch(/^each slice takes 60 s, as configured/);
    expect(slower['total_seconds']).toBeGreaterThan(total_seconds);
  });

  it('shows whether the workers suffice, even for settings that no run has used', async () => {
    const folder = temporaryFolder();
    const client = await connectStdio({ folder });
    const few = await ask(client, 'plan_run', { target_worker_count: 30, stf_count: 200 });
    expect(few).toMatchObject({ workers_needed: 215, target_worker_count: 30 });
    expect(few['longest_wait_seconds']).toBeGreaterThan(1000);
    const enough = await ask(client, 'plan_run', { target_worker_count: 215, stf_count: 200 });
    expect(enough['longest_wait_seconds']).toBeLessThan(3);
    expect(enough['total_seconds']).toBeLessThan(few['total_seconds'] / 5);
    const tooFew = await ask(client, 'plan_run', { target_worker_count: 200, stf_count: 200 });
    expect(tooFew['longest_wait_seconds']).toBeGreaterThan(10);
  });

  it('states its assumptions, and refuses settings that it cannot simulate', async () => {
    const folder = temporaryFolder();
    const client = await connectStdio({ folder });
    expect((await ask(client, 'plan_run'))['assumptions']).toEqual(
      expect.arrayContaining([expect.stringMatching(/^each slice takes 30 s/)]),
    );
    expect(codeOf(await refusal(client, 'plan_run', { stf_count: 1e9 }))).toBe('ARGUMENT_INVALID');
    expect(codeOf(await refusal(client, 'plan_run', { config: 'a/b' }))).toBe('CONFIG_INVALID');
    expect(codeOf(await refusal(client, 'plan_run', { config: 'nope' }))).toBe('CONFIG_NOT_FOUND');
    expect(codeOf(await refusal(client, 'plan_run', { stf_sampling_rate: 2 }))).toBe('ARGUMENT_INVALID');
  });
});
