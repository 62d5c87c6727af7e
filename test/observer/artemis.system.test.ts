import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { pause } from '../../src/lib/deadline.ts';
import type { GapLine, MessageLine } from '../../src/observed/recording-lines.ts';
import { artemisState } from '../brokers/artemis-state.ts';
import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, runCli, type Started, startCli, temporaryFolder } from '../helpers.ts';
import { play, speaker, theirs } from './peers.ts';
import { readRecording } from './recordings.ts';

const why = artemisBroker.missing();
if (why !== undefined) console.warn(why);

const heardIn = (path: string): (MessageLine | GapLine)[] =>
  gunzipSync(readFileSync(path))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as MessageLine | GapLine);

const messagesIn = (path: string): MessageLine[] =>
  heardIn(path).filter((line): line is MessageLine => 'destination' in line);

/** The gaps after the one before the first session. */
const gapsIn = (path: string): GapLine['gap'][] =>
  heardIn(path)
    .flatMap((line) => ('gap' in line ? [line.gap] : []))
    .slice(1);

/** The messages of a store that were heard: id, effect and body of each. */
function messagesOf(folder: string): unknown[] {
  if (!existsSync(join(folder, 'swf.db'))) return [];
  const db = openReader(join(folder, 'swf.db'));
  try {
    return db.prepare('SELECT message_id, effect, payload FROM workflow_messages ORDER BY message_id').all();
  } finally {
    db.close();
  }
}

describe.skipIf(why !== undefined)('an observer beside the testbed on Artemis', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis('site');
  });
  afterAll(() => broker.stop());

  const start = async (folder: string, ...words: string[]): Promise<Started> => {
    const observer = startCli(['observe', '--broker', broker.url, ...words], { folder, env: broker.env });
    await observer.saw(/subscribed to /);
    return observer;
  };
  const stop = async (observer: Started): Promise<void> => {
    observer.child.kill('SIGTERM');
    expect((await observer.finished).code).toBe(0);
  };

  it.each(['H-1', 'F-1'])('records every message of %s unchanged, and leaves nothing on the broker', async (run) => {
    const lines = await readRecording(run);
    const before = await artemisState(broker);
    const folder = temporaryFolder();
    const observer = await start(folder, '--layout', 'head', '--record', 'heard.jsonl.gz');
    const peer = await speaker(broker);
    await play(peer, lines);
    await expect
      .poll(() => (existsSync(join(folder, 'heard.jsonl.gz')) ? messagesIn(join(folder, 'heard.jsonl.gz')).length : 0))
      .toBe(lines.length);
    await stop(observer);
    await peer.close();
    const said = (line: MessageLine): string =>
      JSON.stringify([line.destination, theirs.map((name) => line.headers[name]), 'body' in line ? line.body : line]);
    expect(messagesIn(join(folder, 'heard.jsonl.gz')).map(said).toSorted()).toEqual(lines.map(said).toSorted());
    expect(await artemisState(broker)).toEqual(before);
  });

  it.each(['H-2', 'F-2'])('stores the messages of %s as observe --from does', async (run) => {
    const before = await artemisState(broker);
    const folder = temporaryFolder();
    const observer = await start(folder, '--layout', 'head');
    const peer = await speaker(broker);
    await play(peer, await readRecording(run));
    const read = temporaryFolder();
    await runCli(['observe', '--from', resolve('test/recordings', run, 'bus.jsonl.gz')], { folder: read });
    const recorded = messagesOf(read);
    await expect.poll(() => messagesOf(folder).length).toBe(recorded.length);
    await stop(observer);
    await peer.close();
    expect(messagesOf(folder)).toEqual(recorded);
    expect(await artemisState(broker)).toEqual(before);
  });

  it('refuses a second observer of its store, and a run in a namespace that it observes', async () => {
    const folder = temporaryFolder();
    const observer = await start(folder, '--layout', 'head');
    const surroundings = { folder, env: broker.env };
    const second = await runCli(['observe', '--broker', broker.url, '--namespace', 'other'], surroundings);
    expect(second).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^NAMESPACE_IN_USE: process \d+ on /) as string,
    });
    const peer = await speaker(broker);
    await play(peer, (await readRecording('H-1')).slice(0, 20));
    await expect.poll(() => messagesOf(folder).length).toBe(20);
    const run = [
      'run',
      '--broker',
      broker.url,
      '--set',
      'testbed.namespace=epic-shift',
      '--set',
      'broker.listen_seconds=0',
    ];
    expect(await runCli(run, surroundings)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /NAMESPACE_IN_USE: process \d+ on \S+ is recording other programs in namespace epic-shift for this store/,
      ) as string,
    });
    await peer.close();
    await stop(observer);
  });

  it('continues the store of a killed observer, and records the time in between as a gap', async () => {
    const folder = temporaryFolder();
    const lines = await readRecording('H-2');
    const peer = await speaker(broker);
    for (const part of [lines.slice(0, 300), lines.slice(300)]) {
      const observer = await start(folder, '--layout', 'head');
      const known = messagesOf(folder).length;
      await play(peer, part);
      await expect.poll(() => messagesOf(folder).length).toBeGreaterThanOrEqual(known + part.length - 12);
      observer.child.kill('SIGKILL');
      await observer.finished;
      await pause(1500);
    }
    await peer.close();
    const { stdout } = await runCli(['status', 'latest', '--json'], { folder });
    const answer = JSON.parse(stdout) as Answer;
    expect(answer).toMatchObject({ slices_sent: 211, slices_completed: 201, slices_failed: 10, origin: 'observed' });
    expect(answer['not_heard']).toEqual([expect.objectContaining({ reason: 'no observer listened' })]);
  });

  it('continues the recording of a killed observer, with every message and a gap for the time in between', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'heard.jsonl.gz');
    const peer = await speaker(broker);
    const lines = (await readRecording('H-2')).slice(0, 200);
    for (let round = 1; round <= 3; round += 1) {
      const observer = await start(folder, '--layout', 'head', '--record', 'heard.jsonl.gz');
      await play(peer, lines);
      await expect.poll(() => messagesIn(path).length).toBe(round * lines.length);
      observer.child.kill('SIGKILL');
      await observer.finished;
    }
    await peer.close();
    const reasons = heardIn(path).flatMap((line) => ('gap' in line ? [line.gap.reason] : []));
    const [none, unconnected] = ['no observer was running', 'the observer was not connected yet'];
    expect(reasons).toEqual([unconnected, none, unconnected, none, unconnected]);
  });

  it('does not slow any sender while it is suspended, and records that time as a gap', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'heard.jsonl.gz');
    const beats = ['--set', 'broker.heartbeat_seconds=1'];
    const observer = await start(folder, '--record', 'heard.jsonl.gz', ...beats);
    const peer = await speaker(broker);
    let n = 0;
    let slowest = 0;
    const sayUntil = async (end: number): Promise<void> => {
      while (Date.now() < end) {
        const began = performance.now();
        n += 1;
        await peer.send({ destination: '/topic/epictopic', headers: {}, body: JSON.stringify({ n }) });
        slowest = Math.max(slowest, performance.now() - began);
        await pause(20);
      }
    };
    await sayUntil(Date.now() + 500);
    const stopped = Date.now();
    observer.child.kill('SIGSTOP');
    await sayUntil(stopped + 8000);
    observer.child.kill('SIGCONT');
    await expect.poll(() => gapsIn(path).length > 0).toBe(true);
    await sayUntil(Date.now() + 500);
    const last = n;
    const numbers = (): number[] =>
      messagesIn(path).map((line) => ('body' in line ? (line.body as { n: number }).n : 0));
    await expect.poll(numbers).toContain(last);
    await stop(observer);
    await peer.close();
    // A producer that is held up waits for as long as the observer stands still.
    expect(slowest).toBeLessThan(5000);
    expect(new Set(numbers()).size).toBe(numbers().length);
    const gaps = gapsIn(path);
    expect(gaps).toHaveLength(1);
    // Every missing message was sent in the gap.
    expect(Date.parse(gaps[0]?.from ?? '')).toBeLessThanOrEqual(stopped + 1000);
    expect(Date.parse(gaps[0]?.until ?? '')).toBeGreaterThanOrEqual(stopped + 8000);
    const missing = Array.from({ length: last }, (_, at) => at + 1).filter((one) => !numbers().includes(one));
    expect(missing.length).toBeGreaterThan(0);
  });

  it('with --check, lists what it hears and what it does not', async () => {
    const folder = temporaryFolder();
    const peer = await speaker(broker);
    const checking = startCli(
      ['observe', '--check', '--wait', '4', '--json', '--broker', broker.url, '--layout', 'head'],
      { folder, env: broker.env },
    );
    await checking.saw(/subscribed to /);
    await play(peer, await readRecording('H-1'));
    const { code, stdout } = await checking.finished;
    await peer.close();
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as {
      topics: { topic: string; messages: number; types: Record<string, number> }[];
    };
    expect(found.topics.find(({ topic }) => topic === '/topic/panda.results')).toMatchObject({
      types: { slice_result: 220 },
    });
    expect(found).toMatchObject({
      missing: [],
      programs: expect.arrayContaining([
        expect.objectContaining({ name: 'daq_simulator-agent-shifter-3', type: 'runner', namespace: 'epic-shift' }),
        expect.objectContaining({ type: 'fast processing agent', namespace: 'epic-shift', dialect: 'H' }),
        expect.objectContaining({ type: 'transformer', namespace: 'epic-shift' }),
      ]),
    });
    const quiet = await runCli(['observe', '--check', '--wait', '1', '--broker', broker.url], {
      folder,
      env: broker.env,
    });
    expect(quiet.code).toBe(1);
    expect(quiet.stdout).toContain('not heard: a runner, which sends messages during a run');
  });

  it('exits with 78 if the broker refuses it or it is told to observe a queue', async () => {
    const folder = temporaryFolder();
    const wrong = await runCli(['observe', '--broker', broker.url, '--record', 'x.jsonl'], {
      folder,
      env: { ...broker.env, ACTIVEMQ_PASSWORD: 'wrong' },
    });
    expect(wrong).toMatchObject({ code: 78, stderr: expect.stringMatching(/BROKER_REFUSED/) });
    const queue = await runCli(
      ['observe', '--broker', broker.url, '--record', 'x.jsonl', '--topics', '/queue/panda.results.fastprocessing'],
      { folder },
    );
    expect(queue).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/CONFIG_INVALID: .*would take it from the owner of the queue/),
    });
  });
});
