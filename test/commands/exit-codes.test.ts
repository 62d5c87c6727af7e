import { describe, expect, it } from 'vitest';

import { runCli, startCli, temporaryFolder } from '../helpers.ts';

const set = (key: string, value: unknown): string[] => ['--set', `${key}=${JSON.stringify(value)}`];

/** Slices of which number 3 fails at once, and the others take long. */
const failing = [
  ...set('worker.payload', ['sh', '-c', '[ $SWF_SLICE_ID = 3 ] && exit 1; sleep 60']),
  ...set('worker.max_retries', 0),
];

/** Ends a run with `stop` when a slice has failed, or at once, and tells the exit codes of all who follow it. */
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
  it('of a run that is stopped with failed slices is 3, of run, status --watch and resume', async () => {
    expect(await stopped([...failing, '--stf-count', '20'], 1)).toEqual({ run: 3, watch: 3, resume: 3 });
  });

  it('of a run that is stopped and nothing has failed is 4', async () => {
    expect(await stopped(['--stf-count', '200'], 0)).toEqual({ run: 4, watch: 4, resume: 4 });
  });

  it('of a run that completes is 0, of one whose slices stay failed 3', async () => {
    const codes = async (...settings: string[]) => {
      const folder = temporaryFolder();
      const { code } = await runCli(['run', '--speed', 'max', '--stf-count', '1', ...settings], { folder });
      const again = await runCli(['resume', 'latest'], { folder });
      expect(again.stdout).toMatch(/has ended \(completed\); there is nothing to do/);
      return [code, (await runCli(['status', '--watch'], { folder })).code, again.code];
    };
    expect(await codes()).toEqual([0, 0, 0]);
    expect(await codes(...set('worker.payload', ['false']), ...set('worker.max_retries', 0))).toEqual([3, 3, 3]);
  });

  it('of a run that is interrupted here is 130, whatever has failed', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', ...failing], { folder });
    await run.saw(/start_run/);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
  });

  it('of a run that is interrupted twice is 130; it says so, and the execution can be resumed', async () => {
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
      stdout: expect.stringMatching(/interrupted at once; go on with "swf-mcp resume stf_\S+"/),
    });
    const monitor = JSON.parse((await runCli(['status', '--json'], { folder })).stdout);
    expect(monitor).toMatchObject({ status: 'running', health: 'stalled', drivers: [{ ended: 'interrupted' }] });
    expect(monitor.findings[0].sentence).toMatch(/^The driver, process \d+ on \S+, was interrupted at 20/);
  });
});
