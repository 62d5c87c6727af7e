import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import { type Broker, freePort } from '../brokers/broker.ts';
import { runCli, startCli, temporaryFolder } from '../helpers.ts';
import { sets } from '../remote/site.ts';
import { play, speaker } from './peers.ts';
import { readRecording } from './recordings.ts';

const why = artemisBroker.missing();
if (why !== undefined) console.warn(why);

describe.skipIf(why !== undefined)('an observer as a service', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis('site');
  });
  afterAll(() => broker.stop());

  const noAgents = sets(
    ...['daq_simulator', 'data', 'fastmon', 'worker'].map((type) => `agents.${type}.enabled=false`),
  );

  it('is restarted by "up", reported by "ready", and serves its metrics', async () => {
    const folder = temporaryFolder();
    const surroundings = { folder, env: broker.env };
    const port = String(await freePort());
    const words = ['up', '--observe', 'head', '--broker', broker.url, '--metrics', port, ...noAgents];
    expect(await runCli(['ready', 'observer', '--wait', '1'], surroundings)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^no observer wrote to \S+ within 1 s$/m) as string,
    });
    // A store that is being created at this moment.
    writeFileSync(join(folder, 'swf.db'), '');
    expect(await runCli(['ready', 'observer', '--wait', '1'], surroundings)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^no observer wrote/m) as string,
    });
    const up = startCli(words, surroundings);
    const pidWhenReady = async (): Promise<number> => {
      const { code, stdout } = await runCli(['ready', 'observer', '--wait', '30'], surroundings);
      expect(code).toBe(0);
      return Number(/^observer is ready: process (\d+) on \S+$/m.exec(stdout)?.[1]);
    };
    const first = await pidWhenReady();
    process.kill(first, 'SIGKILL');
    await up.saw(/observer was killed by SIGKILL; restarting in 1 s/);
    await up.saw(/observer: subscribed to [^]*observer: subscribed to /);
    expect(await pidWhenReady()).not.toBe(first);
    const peer = await speaker(broker);
    await play(peer, await readRecording('H-1'));
    await peer.close();
    const figures = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await expect.poll(figures).toContain('swf_observer_messages_total{topic="/topic/panda.results"} 222');
    await expect.poll(figures).toContain('swf_observer_waiting_lines{place="store"} 0');
    const text = await figures();
    expect(text).toContain('swf_broker_connected 1\n');
    expect(text).toContain('swf_observer_dropped_messages_total{place="store"} 0\n');
    const told = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, series]) => series));
    const asked = readFileSync('examples/grafana/observer-alerts.yaml', 'utf8').match(/\bswf_[a-z_]+\b/g) ?? [];
    expect(asked.filter((series) => !told.has(series))).toEqual([]);
    up.child.kill('SIGTERM');
    expect(await up.finished).toMatchObject({ code: 0 });
    expect((await runCli(['ready', 'observer', '--wait', '1'], surroundings)).code).toBe(1);
  });

  it('reports that its broker is away, and is not ready meanwhile', async () => {
    const folder = temporaryFolder();
    const nowhere = `stomp://127.0.0.1:${await freePort()}`;
    const observer = startCli(['observe', '--broker', nowhere, '--metrics', '0'], { folder, env: broker.env });
    const url = await observer.saw(/metrics at (\S+)/);
    await observer.saw(/BROKER_UNREACHABLE/);
    expect(await (await fetch(url)).text()).toContain('swf_broker_connected 0\n');
    expect((await runCli(['ready', 'observer', '--wait', '1'], { folder })).code).toBe(1);
    observer.child.kill('SIGTERM');
    expect((await observer.finished).code).toBe(0);
  });
});
