import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import type { Delivery } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { sha256 } from '../../src/lib/sha256.ts';
import { activeMq, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { runCli, temporaryFolder } from '../helpers.ts';
import { elsewhere, sets, Site } from '../remote/site.ts';

const quick = sets('fast_processing.slice_processing_time=1', 'fast_processing.target_worker_count=8');

describe.skipIf(activeMq.missing() !== undefined)('an agent with --metrics', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  const started = async (here: Site, folder: string, ...args: string[]) => {
    const agent = here.start(['agent', ...args, '--metrics', '0', ...sets(`data.dir=${here.dataFolder}`)], folder);
    const url = await agent.saw(/metrics at (\S+)/);
    await agent.saw(/is running in namespace/);
    return async (): Promise<string> => (await fetch(url)).text();
  };
  const valueOf = (text: string, series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );

  it('reports what it sends and receives, its slots, and whether it is connected to its broker', async () => {
    const here = new Site(() => broker, quick);
    const data = await started(here, temporaryFolder(), 'data');
    const worker = await started(here, temporaryFolder(), 'worker');
    const run = here.run('--stf-count', '3', '--speed', '20', ...elsewhere('data', 'worker'));
    expect(await run.finished).toMatchObject({ code: 0 });
    const [ofData, ofWorker] = [await data(), await worker()];
    expect(valueOf(ofData, 'swf_messages_sent_total{type="stf_ready"}')).toBe(3);
    expect(valueOf(ofData, 'swf_messages_received_total{type="stf_gen"}')).toBe(3);
    expect(valueOf(ofData, 'swf_step_duration_seconds_count')).toBe(5);
    expect(valueOf(ofData, 'swf_reader_behind_messages{role="data"}')).toBe(0);
    expect(valueOf(ofWorker, 'swf_messages_sent_total{type="slice_result"}')).toBe(45);
    expect(valueOf(ofWorker, 'swf_slots{state="free"}')).toBe(8);
    expect(valueOf(ofWorker, 'swf_step_duration_seconds_count')).toBe(45);
    expect(valueOf(ofWorker, 'swf_broker_connected')).toBe(1);
    // An agent on standby is connected to its broker, too.
    const standby = await started(here, temporaryFolder(), 'data', '--index', '2');
    await expect.poll(async () => valueOf(await standby(), 'swf_broker_connected')).toBe(1);
    const told = new Set([...ofData.matchAll(/^# TYPE (\w+) /gm)].map(([, series]) => series));
    const asked = new Set(readFileSync('examples/grafana/agent-alerts.yaml', 'utf8').match(/\bswf_[a-z_]+\b/g));
    expect(asked.size).toBeGreaterThan(3);
    expect([...asked].filter((series) => !told.has(series))).toEqual([]);
    await broker.kill();
    await expect.poll(async () => valueOf(await worker(), 'swf_broker_connected')).toBe(0);
    await broker.start();
    await expect.poll(async () => valueOf(await worker(), 'swf_broker_connected')).toBe(1);
    expect(valueOf(await worker(), 'swf_broker_reconnects_total')).toBe(1);
  });

  it('that is a recorder reports how many messages are unconfirmed, and since when', async () => {
    const here = new Site(() => broker, quick);
    const recorder = await started(here, here.folder, 'daq_simulator');
    await here.request({ stf_count: 20 }, 1);
    await expect.poll(async () => valueOf(await recorder(), 'swf_messages_sent_total{type="run_imminent"}')).toBe(1);
    await broker.kill();
    await expect.poll(async () => valueOf(await recorder(), 'swf_outbox_unsent_messages')).toBeGreaterThan(0);
    // The findings of the store report it at once, and do not blame agents that are fine.
    await expect.poll(() => here.findings()).toContain('BROKER_AWAY');
    expect(await here.findings()).not.toContain('AGENT_MISSING');
    const since = valueOf(await recorder(), 'swf_outbox_oldest_unsent_timestamp_seconds');
    expect(Math.abs(Date.now() / 1000 - since)).toBeLessThan(120);
    await broker.start();
    await expect.poll(async () => valueOf(await recorder(), 'swf_outbox_unsent_messages')).toBe(0);
    await expect.poll(() => here.findings()).not.toContain('BROKER_AWAY');
  });

  it('refuses an invalid address', async () => {
    const args = ['agent', 'worker', '--broker', broker.url, '--metrics', 'nowhere'];
    const set = sets('testbed.namespace=n');
    expect(await runCli([...args, ...set], { folder: temporaryFolder(), env: broker.env })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^ARGUMENT_INVALID: --metrics "nowhere" is not an address/),
    });
  });

  it('sends messages with a trace id derived from the execution id', async () => {
    const here = new Site(() => broker, quick);
    const peer = connectByStomp(broker.settings, () => {});
    onTestFinished(() => peer.close());
    await peer.connect({ once: true });
    const heard: Delivery[] = [];
    const only = () => ({ namespace: here.namespace });
    peer.subscribe({
      id: 'all',
      destination: '/topic/epictopic',
      ack: 'auto',
      only,
      onMessage: (each) => heard.push(each),
    });
    await here.agent('data');
    expect(await here.run('--stf-count', '1', '--speed', '20', ...elsewhere('data')).finished).toMatchObject({
      code: 0,
    });
    const digest = (text: string): string => sha256().update(text).digest('hex');
    const types = new Set<unknown>();
    for (const { headers, body } of heard) {
      const { execution_id, msg_type, message_id } = JSON.parse(body) as Record<string, string>;
      types.add(msg_type);
      const [trace, span] = [digest(execution_id ?? '').slice(0, 32), digest(message_id ?? '').slice(0, 16)];
      expect(headers['traceparent']).toBe(`00-${trace}-${span}-01`);
    }
    // One from the recorder and one from a remote agent.
    expect(types.has('stf_gen') && types.has('stf_ready')).toBe(true);
  });
});
