import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { brokerKinds } from '../brokers/kinds.ts';
import { rabbitMqBroker } from '../brokers/rabbitmq.ts';
import { describeNetworks, endsAsInOneProcess, isLong, slicesDone } from './around.ts';

for (const kind of isLong ? brokerKinds : [rabbitMqBroker])
  describeNetworks(kind, (open) => {
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
