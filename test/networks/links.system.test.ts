import { setTimeout as delay } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import { brokerKinds } from '../brokers/kinds.ts';
import { describeNetworks, endsAsInOneProcess, isLong, startRun } from './around.ts';
import { startBadLine } from './bad-line.ts';

for (const kind of isLong ? brokerKinds : [activeMq])
  describeNetworks(kind, (open) => {
    it('report within two minutes that a link is down, and continue when it is restored', async () => {
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

    it('report BROKER_AWAY, and no agent as missing, when the recorder’s own link is cut', async () => {
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
      await expect.poll(look, { interval: 500 }).toContain('BROKER_AWAY');
      // As long as a TCP connection survives it.
      await expect.poll(async () => (await look()) && performance.now() - cut).toBeGreaterThan(22_000);
      site.recorder.mendLink();
      await expect.poll(look, { interval: 500 }).not.toContain('BROKER_AWAY');
      const until = performance.now() + 8000;
      await expect.poll(async () => (await look()) && performance.now()).toBeGreaterThan(until);
      expect([...said]).not.toEqual(expect.arrayContaining([expect.stringMatching(/^AGENT_/)]));
      await endsAsInOneProcess(site, 8);
    });

    it('complete a run over a line that is slow, stalls and breaks', async () => {
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
  });
