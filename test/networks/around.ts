import { afterEach, describe, expect } from 'vitest';

import type { BrokerKind } from '../brokers/broker.ts';
import { inProcess, outcome } from '../remote/outcome.ts';
import { sets } from '../remote/site.ts';
import { networksAreMissing } from './hosts.ts';
import { NetworkSite } from './site.ts';

const settings = ['fast_processing.slice_processing_time=4', 'fast_processing.target_worker_count=4'];

/** `npm run proof` cuts links for as long as a night shift may not notice, on every broker. */
export const isLong = process.env['SWF_LONG_PROOF'] === '1';

const why = networksAreMissing();
if (why !== undefined) console.warn(why);

export const describeNetworks = (
  kind: BrokerKind,
  tests: (open: (more?: string[]) => Promise<NetworkSite>) => void,
): unknown =>
  describe.skipIf(why !== undefined || kind.missing() !== undefined)(
    `hosts that share nothing, around ${kind.kind}`,
    { timeout: isLong ? 1_500_000 : 600_000 },
    () => {
      let site: NetworkSite | undefined;
      afterEach(async () => {
        await site?.close();
        site = undefined;
      });
      tests(async (more = []) => {
        site = await NetworkSite.open(kind, [...settings, ...more]);
        return site;
      });
    },
  );

/** Waits until the newest execution is completed, with the same outcome as in one process. */
export async function endsAsInOneProcess(site: NetworkSite, stfs: number, timeout = 120_000): Promise<void> {
  await expect
    .poll(() => site.monitor(), { timeout, interval: 500 })
    .toMatchObject({ status: 'completed', slices_failed: 0 });
  expect(await outcome(site.recorder.folder)).toEqual(await inProcess(stfs, ...sets(...settings)));
  const { code, stdout } = await site.check();
  expect({ code, stdout }).toMatchObject({ code: 0 });
}

export const slicesDone = async (site: NetworkSite): Promise<number> =>
  (await site.monitor())['slices_completed'] as number;

/** A run with one worker that has done its first slices. */
export async function startRun(site: NetworkSite, stf_count: number, speed: number): Promise<void> {
  await site.startRecorder();
  await site.startMonitoring();
  await site.startWorker('one');
  await site.request({ stf_count }, speed);
  await expect.poll(() => slicesDone(site)).toBeGreaterThan(4);
}
