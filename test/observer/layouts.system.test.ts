import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { artemisState } from '../brokers/artemis-state.ts';
import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { plainStomp } from '../brokers/plain-stomp.ts';
import { runCli, startCli, temporaryFolder } from '../helpers.ts';
import { play, speaker } from './peers.ts';
import { readRecording } from './recordings.ts';

const why = artemisBroker.missing();
if (why !== undefined) console.warn(why);

/** Reads a queue until it has the expected number of messages. Returns their number. */
async function drain(broker: Broker, destination: string, expected: number): Promise<number> {
  let got = 0;
  const reader = await plainStomp(broker);
  await reader.take(destination, () => (got += 1));
  await expect.poll(() => got).toBeGreaterThanOrEqual(expected);
  await reader.close();
  return got;
}

/** The bodies that a recording holds so far. */
function bodiesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { destination?: string; body?: unknown })
    .filter(({ destination }) => destination !== undefined)
    .map(({ body }) => JSON.stringify(body))
    .toSorted();
}

describe.skipIf(why !== undefined).each([
  { layout: '2025-12', readers: ['/topic/panda.results::/queue/panda.results.fastprocessing'] },
  {
    layout: '2025-10',
    readers: ['sub1', 'sub2', 'monitor'].map((name) => `/topic/panda.results::/queue/panda.results.${name}`),
  },
] as const)('an observer at a site with the layout $layout', ({ layout, readers }) => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis(layout);
  });
  afterAll(() => broker.stop());

  it('receives slices and results, and takes none from their consumers', async () => {
    const slicesTo = '/queue/panda.transformer.slices';
    const lines = (await readRecording('H-1'))
      .filter(({ destination }) => destination !== '/topic/panda.workers')
      .map((line) => (line.destination === '/topic/panda.slices' ? { ...line, destination: slicesTo } : line));
    const sentTo = (place: string): number => lines.filter(({ destination }) => destination === place).length;
    const before = await artemisState(broker);
    const folder = temporaryFolder();
    const observer = startCli(['observe', '--broker', broker.url, '--layout', layout, '--record', 'heard.jsonl'], {
      folder,
      env: broker.env,
    });
    await observer.saw(/subscribed to /);
    const peer = await speaker(broker);
    await play(peer, lines);
    await peer.close();
    const path = join(folder, 'heard.jsonl');
    await expect.poll(() => bodiesIn(path).length).toBe(lines.length);
    observer.child.kill('SIGTERM');
    expect((await observer.finished).code).toBe(0);
    expect(bodiesIn(path)).toEqual(lines.map((line) => JSON.stringify('body' in line && line.body)).toSorted());
    expect(await artemisState(broker)).toEqual(before);
    expect(await drain(broker, slicesTo, sentTo(slicesTo))).toBe(sentTo(slicesTo));
    for (const reader of readers)
      expect(await drain(broker, reader, sentTo('/topic/panda.results'))).toBe(sentTo('/topic/panda.results'));
  });
});

describe.skipIf(why !== undefined)('an observer at a site where a topic is a queue', () => {
  it.each([
    { command: 'observe', words: [] },
    { command: 'observe --check', words: ['--check', '--wait', '5'] },
  ])('ends with BROKER_REFUSED, takes no messages, and creates nothing: $command', async ({ words }) => {
    const broker = await startArtemis('anycast');
    const folder = temporaryFolder();
    const before = await artemisState(broker);
    const peer = await plainStomp(broker);
    for (const n of [1, 2, 3]) await peer.send('/topic/panda.results', String(n));
    const said = await runCli(['observe', '--broker', broker.url, '--layout', 'head', ...words], {
      folder,
      env: broker.env,
    });
    expect(said.stderr).toMatch(/BROKER_REFUSED/);
    expect(said.code).not.toBe(0);
    // Artemis removes a queue of a subscription a moment after the connection has ended.
    await expect.poll(() => artemisState(broker)).toEqual(before);
    expect(await drain(broker, '/topic/panda.results', 3)).toBe(3);
    await peer.close();
    await broker.stop();
  });
});
