import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { alterStore } from '../alter-store.ts';
import { runCli, temporaryFolder } from '../helpers.ts';
import { clientOf, evidenceOf, findingOf, inPhysics, monitorOf } from './asking.ts';

const payload = (script: string): string[] => [
  '--set',
  `worker.payload=${JSON.stringify(['sh', '-c', script, 'recon'])}`,
];

describe('the monitor of a run with failing slices', () => {
  it('reports why nothing succeeds, and since when, and gives no remaining time', async () => {
    const folder = temporaryFolder();
    const broken = join(folder, 'broken');
    const fails = payload(`if [ -e ${broken} ]; then echo no geometry for module 2318; exit 3; fi`);
    const { client } = await inPhysics('--stf-count', '1000', '--speed', '10', ...fails);
    await expect.poll(async () => (await monitorOf(client))['slices_completed']).toBeGreaterThan(15);
    const before = await monitorOf(client);
    expect(before).toMatchObject({ health: 'progressing', progress: { seconds_left: expect.any(Number) as number } });
    expect(findingOf(before, 'NOTHING_SUCCEEDS')).toBeUndefined();
    expect(existsSync(broken)).toBe(false);
    const brokenAt = Date.now();
    writeFileSync(broken, '');
    await expect.poll(async () => findingOf(await monitorOf(client), 'NOTHING_SUCCEEDS')).toBeDefined();
    const foundAt = Date.now();
    const monitor = await monitorOf(client);
    expect(monitor).toMatchObject({ health: 'stalled', status: 'running' });
    expect(monitor['progress']).not.toHaveProperty('seconds_left');
    const since = /since (20\S+Z): all \d+ attempts/.exec(
      findingOf(monitor, 'NOTHING_SUCCEEDS')?.['sentence'] as string,
    )?.[1];
    expect(Date.parse(since ?? '')).toBeGreaterThan(brokenAt);
    // It is reported after ten seconds without a success.
    expect(Date.parse(since ?? '')).toBeLessThanOrEqual(foundAt - 10_000);
    expect(findingOf(monitor, 'NOTHING_SUCCEEDS')?.['sentence']).toContain('no geometry for module 2318');
    expect(findingOf(monitor, 'FAILURES_ON_ONE')).toBeUndefined();
    await evidenceOf(client, monitor, 'NOTHING_SUCCEEDS');
  });

  it('still names the bad slot and the cause after the run has ended', async () => {
    const folder = temporaryFolder();
    const bad = payload('case "$SWF_WORKER_ID" in */04) echo libtrack.so.3 is missing; exit 127;; esac; sleep 0.02');
    const words = ['--speed', 'max', '--stf-count', '10', '--set', 'fast_processing.target_worker_count=12', ...bad];
    await runCli(['run', ...words], { folder });
    const client = await clientOf(folder);
    const monitor = await monitorOf(client);
    expect(findingOf(monitor, 'FAILURES_ON_ONE')).toMatchObject({
      severity: 'error',
      ids: [expect.stringMatching(/\/04$/)],
      sentence: expect.stringMatching(
        /^(\d+) of \1 .* slot \S+\/04 failed, .* × sh ended with exit code 127: libtrack\.so\.3 is missing\.$/,
      ) as string,
    });
    const { groups } = await evidenceOf(client, monitor, 'FAILURES_ON_ONE');
    expect((groups as unknown[]).length).toBeGreaterThan(11);
  });

  it.each([
    [
      'host bad',
      `UPDATE tf_slices SET hostname = iif(status = 'failed', 'bad', 'good'); UPDATE earlier_attempts SET hostname = 'bad'`,
    ],
    [
      'worker bad',
      `UPDATE tf_slices SET assigned_worker = iif(status = 'failed', 'bad', 'good') || substr(assigned_worker, -3); UPDATE earlier_attempts SET worker_id = 'bad/01'`,
    ],
    ['STF file swf.100010.000002.stf', ''],
  ])('names what all failures have in common, and the cause: %s', async (place, change) => {
    const folder = temporaryFolder();
    const bad = payload('case "$SWF_SLICE_FILENAME" in *.000002_*) echo no geometry; exit 3;; esac');
    await runCli(['run', '--speed', 'max', '--stf-count', '6', ...bad], { folder });
    if (change !== '') alterStore(folder, change);
    const finding = findingOf(await monitorOf(await clientOf(folder)), 'FAILURES_ON_ONE');
    expect(finding?.['sentence']).toMatch(/ \d+ × sh ended with exit code 3: no geometry\.$/);
    expect(finding?.['sentence']).toMatch(new RegExp(` ${place} failed,`));
  });

  it('names a slice that took much longer than the others', async () => {
    const folder = temporaryFolder();
    // Others may take more than a second on a busy machine, and ten times the usual is slow.
    const slow = payload('if [ "$SWF_SLICE_FILENAME" = swf.100010.000002_slice_003.tf ]; then sleep 25; fi');
    const few = ['--set', 'fast_processing.target_worker_count=3'];
    await runCli(['run', '--speed', 'max', '--stf-count', '4', ...few, ...slow], { folder });
    const client = await clientOf(folder);
    const monitor = await monitorOf(client);
    expect(findingOf(monitor, 'SLICE_SLOW')?.['sentence']).toMatch(
      /^swf\.100010\.000002_slice_003\.tf .*\b2\d(\.\d)? s\b/,
    );
    expect(await evidenceOf(client, monitor, 'SLICE_SLOW')).toMatchObject({ kind: 'slice' });
  });
});
