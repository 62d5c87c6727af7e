import { expect, it } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import { brokerKinds } from '../brokers/kinds.ts';
import { sets } from '../remote/site.ts';
import { describeNetworks, endsAsInOneProcess, isLong } from './around.ts';

for (const kind of isLong ? brokerKinds : [activeMq])
  describeNetworks(kind, (open) => {
    it('complete a run of 20 STFs like a single process, even with wrong clocks', async () => {
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

    it('report samples that were lost with their host, and make them again on another', async () => {
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
      // The log has their first place, and all rows still follow from it.
      expect(await site.check('--deep')).toMatchObject({ code: 0 });
    });

    it('report that a worker with a full disk cannot do its slices, and complete them on another', async () => {
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
