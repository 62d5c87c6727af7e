import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import type { BrokerKind } from '../brokers/broker.ts';
import { brokerKinds } from '../brokers/kinds.ts';
import { inProcess, outcome } from '../remote/outcome.ts';
import { sets } from '../remote/site.ts';
import { startBadLine } from './bad-line.ts';
import { networksAreMissing } from './hosts.ts';
import { NetworkSite } from './site.ts';

const settings = ['fast_processing.slice_processing_time=4', 'fast_processing.target_worker_count=4'];

/** `npm run proof` cuts links for as long as a night shift may not notice, on every broker. */
const isLong = process.env['SWF_LONG_PROOF'] === '1';

const why = networksAreMissing();
if (why !== undefined) console.warn(why);

const describeNetworks = (
  kind: BrokerKind,
  tests: (open: (more?: string[]) => Promise<NetworkSite>) => void,
): unknown =>
  describe.skipIf(why !== undefined || kind.missing() !== undefined)(
    `hosts that share nothing, around ${kind.kind}`,
    { timeout: isLong ? 1_500_000 : 300_000 },
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

/** Waits until the newest execution has ended, well, and as in one process. */
async function endsAsInOneProcess(site: NetworkSite, stfs: number, timeout = 120_000): Promise<void> {
  await expect
    .poll(() => site.monitor(), { timeout, interval: 500 })
    .toMatchObject({ status: 'completed', slices_failed: 0 });
  expect(await outcome(site.recorder.folder)).toEqual(await inProcess(stfs, ...sets(...settings)));
  const { code, stdout } = await site.check();
  expect({ code, stdout }).toMatchObject({ code: 0 });
}

const slicesDone = async (site: NetworkSite): Promise<number> => (await site.monitor())['slices_completed'] as number;

/** A run with one worker that has done its first slices. */
async function startRun(site: NetworkSite, stf_count: number, speed: number): Promise<void> {
  await site.startRecorder();
  await site.startMonitoring();
  await site.startWorker('one');
  await site.request({ stf_count }, speed);
  await expect.poll(() => slicesDone(site)).toBeGreaterThan(4);
}

for (const kind of brokerKinds)
  describeNetworks(kind, (open) => {
    it('end a run of 20 STFs as one host does, though their clocks are off', async () => {
      const site = await open();
      await site.startRecorder();
      await site.startMonitoring(-90_000);
      await site.startWorker('one', { shift: 120_000 });
      await site.startWorker('two', { shift: -45_000 });
      await site.request({ stf_count: 20 }, 10);
      await endsAsInOneProcess(site, 20);
      const slices = await site.askAll('list_tf_slices', { execution_id: 'latest', limit: 200 });
      expect(new Set(slices.map((slice) => (slice['assigned_worker'] as string).split('/')[0])).size).toBe(2);
    });

    it('lose nothing when a link is down, a host dies with work in hand, and the recorder is killed', async () => {
      const site = await open();
      const recorder = await site.startRecorder();
      await site.startMonitoring();
      await site.startWorker('one');
      await site.startWorker('two');
      await site.request({ stf_count: 20 }, 5);
      await expect.poll(() => slicesDone(site)).toBeGreaterThan(8);
      site.hosts.host('one').cutLink();
      await site.hosts.host('two').die();
      await delay(5000);
      site.hosts.host('one').mendLink();
      await site.startWorker('two');
      const before = await slicesDone(site);
      await expect.poll(() => slicesDone(site)).toBeGreaterThan(before + 8);
      recorder.child.kill('SIGKILL');
      await once(recorder.child, 'exit');
      await site.recorder.die();
      await site.startRecorder();
      await endsAsInOneProcess(site, 20, 180_000);
    });
  });

for (const kind of isLong ? brokerKinds : [activeMq])
  describeNetworks(kind, (open) => {
    it('tell within two minutes that a link stays down, and go on when it is mended', async () => {
      const seconds = isLong ? 600 : 60;
      const site = await open();
      await startRun(site, 20, 5);
      site.hosts.host('monitoring').cutLink();
      const cut = performance.now();
      const telling = expect.poll(() => site.findings(), { timeout: 120_000, interval: 1000 });
      await telling.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(AGENT_GONE|STAGE_STUCK|NO_WORKER_FOR)$/)]),
      );
      await delay(Math.max(0, seconds * 1000 - (performance.now() - cut)));
      site.hosts.host('monitoring').mendLink();
      await endsAsInOneProcess(site, 20, 240_000);
    });

    it('say that their recorder hears nothing when its own link is cut, and call no agent missing', async () => {
      const site = await open();
      await startRun(site, 8, 2);
      const said = new Set<string>();
      const look = async (): Promise<readonly string[]> => {
        const codes = await site.findings();
        for (const code of codes) said.add(code);
        return codes;
      };
      site.recorder.cutLink();
      const cut = performance.now();
      await expect.poll(look, { timeout: 15_000, interval: 500 }).toContain('BROKER_AWAY');
      // As long as a connection of TCP bears it.
      await expect
        .poll(async () => (await look()) && performance.now() - cut, { timeout: 30_000 })
        .toBeGreaterThan(22_000);
      site.recorder.mendLink();
      await expect.poll(look, { timeout: 60_000, interval: 500 }).not.toContain('BROKER_AWAY');
      const until = performance.now() + 8000;
      await expect.poll(async () => (await look()) && performance.now(), { timeout: 15_000 }).toBeGreaterThan(until);
      expect([...said]).not.toEqual(expect.arrayContaining([expect.stringMatching(/^AGENT_/)]));
      await endsAsInOneProcess(site, 8);
    });

    it('tell of samples that are gone with their host, and make them again on another', async () => {
      const site = await open();
      await site.startRecorder();
      await site.startMonitoring();
      await site.request({ stf_count: 2 }, 10);
      await expect.poll(() => site.monitor()).toMatchObject({ phase: 'completed', slices_queued: 30 });
      await site.hosts.host('monitoring').die();
      const worker = await site.startWorker('one');
      await worker.saw(/off duty for NO_FILE .*its server cannot be reached/);
      await expect.poll(() => site.findings(), { timeout: 120_000, interval: 1000 }).toContain('FILE_GONE');
      await site.startMonitoring(0, 'two', ['fastmon']);
      await endsAsInOneProcess(site, 2, 120_000);
      // The log says where they were first, and all rows still follow from it.
      expect(await site.check('--deep')).toMatchObject({ code: 0 });
    });

    it('bear a line that is slow, stalls and breaks', async () => {
      const site = await open();
      await site.startRecorder();
      await site.startMonitoring();
      const line = await startBadLine(site.hosts.gateway, new URL(site.broker.url));
      await site.startWorker('one', { via: line.url });
      await site.request({ stf_count: 5 }, 5);
      await endsAsInOneProcess(site, 5, 240_000);
      expect(line.cuts()).toBeGreaterThan(2);
      expect(line.stalls()).toBeGreaterThan(2);
    });

    it('tell of a worker whose disk is full, and let another do its slices', async () => {
      const site = await open();
      await site.startRecorder();
      await site.startMonitoring();
      const worker = await site.startWorker('one', { args: sets(`data.dir=${site.hosts.host('one').smallDisk}`) });
      await site.request({ stf_count: 2 }, 10);
      await worker.saw(/off duty for NO_FILE /);
      await expect.poll(() => site.findings(), { interval: 1000 }).toContain('NO_WORKER_FOR');
      await site.startWorker('two');
      await endsAsInOneProcess(site, 2, 120_000);
    });
  });
