import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runCli, startCli, temporaryFolder } from '../helpers.ts';

const set = (key: string, value: unknown): string[] => ['--set', `${key}=${JSON.stringify(value)}`];

/** Settings with which slice 3 fails at once, and the others take long. */
const failing = [
  ...set('worker.payload', ['sh', '-c', '[ $SWF_SLICE_ID = 3 ] && exit 1; sleep 60']),
  ...set('worker.max_retries', 0),
];

/** Stops a run once this many slices have failed, and returns the exit codes of the commands that follow it. */
async function stopped(settings: string[], failed: number) {
  const folder = temporaryFolder();
  const run = startCli(['run', '--speed', '20', ...settings], { folder });
  await run.saw(/start_run/);
  const watch = startCli(['status', '--watch'], { folder });
  await watch.saw(/running/);
  await expect
    .poll(async () => JSON.parse((await runCli(['status', '--json'], { folder })).stdout).slices_failed)
    .toBeGreaterThanOrEqual(failed);
  await runCli(['stop', 'latest', '--reason', 'beam dump'], { folder });
  return {
    run: (await run.finished).code,
    watch: (await watch.finished).code,
    resume: (await runCli(['resume', 'latest'], { folder })).code,
  };
}

describe('the exit code', () => {
  it('is 3 from run, status --watch and resume if a run is stopped after a slice has failed', async () => {
    expect(await stopped([...failing, '--stf-count', '20'], 1)).toEqual({ run: 3, watch: 3, resume: 3 });
  });

  it('is 4 if a run is stopped and no slice has failed', async () => {
    expect(await stopped(['--stf-count', '200'], 0)).toEqual({ run: 4, watch: 4, resume: 4 });
  });

  it('is 0 if a run completes, and 3 if slices failed permanently', async () => {
    const codes = async (sentence: RegExp, ...settings: string[]) => {
      const folder = temporaryFolder();
      const { code } = await runCli(['run', '--speed', 'max', '--stf-count', '1', ...settings], { folder });
      const again = await runCli(['resume', 'latest'], { folder });
      expect(again.stdout).toMatch(sentence);
      return [code, (await runCli(['status', '--watch'], { folder })).code, again.code];
    };
    expect(await codes(/has ended: completed; there is nothing to do$/m)).toEqual([0, 0, 0]);
    const undone = /has ended: completed; 15 TF slices failed permanently; it cannot be resumed, so start a new run$/m;
    const broken = [...set('worker.payload', ['false']), ...set('worker.max_retries', 0)];
    expect(await codes(undone, ...broken)).toEqual([3, 3, 3]);
  });

  it('is 130 if a run with failing slices is interrupted', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', ...failing], { folder });
    await run.saw(/start_run/);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    const again = await runCli(['resume', 'latest'], { folder });
    expect(again.stdout).toMatch(
      /has ended: terminated \(interrupted by SIGINT\);.* it cannot be resumed, so start a new run$/m,
    );
  });

  it('is 130 if the terminal of a run is closed, and the run can be resumed to its end', async () => {
    const folder = temporaryFolder();
    const program = join(folder, 'p.sh');
    const put = () => writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    put();
    const args = ['run', '--speed', '20', '--stf-count', '1', ...set('worker.payload', [program])];
    const run = startCli(args, { folder });
    await run.saw(/start_run/);
    run.child.kill('SIGHUP');
    expect(await run.finished).toMatchObject({ code: 130, stdout: expect.stringMatching(/resume it with "swf-mcp/) });
    const monitor = JSON.parse((await runCli(['status', '--json'], { folder })).stdout);
    expect(monitor).toMatchObject({ status: 'running', health: 'stalled', drivers: [{ ended: 'interrupted' }] });
    rmSync(program);
    const refused = await runCli(['resume', 'latest'], { folder });
    expect(refused.stderr).toMatch(/p\.sh does not exist.*; put it back: a resumed run keeps the program/);
    put();
    expect((await runCli(['resume', 'latest', '--speed', 'max'], { folder })).code).toBe(0);
  });

  it('is 130 if a run is interrupted twice, and the output suggests resume', async () => {
    const folder = temporaryFolder();
    const run = startCli(
      ['run', '--speed', '20', '--stf-count', '3', ...set('worker.payload', ['sh', '-c', 'trap "" TERM; sleep 2'])],
      { folder },
    );
    await run.saw(/end_run/);
    run.child.kill('SIGINT');
    run.child.kill('SIGTERM');
    const { code, stdout } = await run.finished;
    expect({ code, stdout }).toEqual({
      code: 130,
      stdout: expect.stringMatching(/interrupted immediately; resume it with "swf-mcp resume stf_\S+"/),
    });
    const monitor = JSON.parse((await runCli(['status', '--json'], { folder })).stdout);
    expect(monitor).toMatchObject({ status: 'running', health: 'stalled', drivers: [{ ended: 'interrupted' }] });
    expect(monitor.findings[0].sentence).toMatch(/ process \d+ on \S+, .* 20/);
  });
});
