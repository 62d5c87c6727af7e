import { describe, expect, it, onTestFinished } from 'vitest';

import type { GapLine, MessageLine, RecordingLine } from '../../src/observed/recording-lines.ts';
import { observe } from '../../src/observer/observer.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory, listenToMemory } from '../brokers/memory-connection.ts';
import { useFastTime } from '../fast-time.ts';

useFastTime(20);

const topics = ['/topic/epictopic', '/topic/panda.results'];
const settings = { servers: [], heartbeatSeconds: 1 };

async function listen(namespaces: string[] = []) {
  const broker = new MemoryBroker('artemis');
  const heard: RecordingLine[] = [];
  const said: string[] = [];
  const ending = new AbortController();
  let listening = (): void => {};
  const isListening = new Promise<void>((resolve) => (listening = resolve));
  const done = observe({
    settings,
    // Its user may do nothing but listen to topics.
    connect: listenToMemory(broker),
    topics,
    namespaces,
    take: (line) => heard.push(line),
    onListening: listening,
    say: (line) => said.push(line),
    signal: ending.signal,
  });
  onTestFinished(async () => {
    ending.abort();
    await done;
  });
  await isListening;
  expect(heard.splice(0)).toMatchObject([{ gap: { reason: 'the observer was not connected yet' } }]);
  const peer = connectToMemory(broker)(settings, () => {});
  await peer.connect({ once: true });
  onTestFinished(() => peer.close());
  const say = (destination: string, body: object | string, headers: Record<string, string> = {}): Promise<void> =>
    peer.send({ destination, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  return { broker, heard, said, ending, done, say };
}

describe('an observer', () => {
  it('receives every topic, with headers and body', async () => {
    const { heard, say } = await listen();
    await say('/topic/epictopic', { msg_type: 'stf_gen', namespace: 'a', run_id: '1' });
    await say('/topic/panda.results', 'broken {', { 'client-id': 'me' });
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toMatchObject([
      { destination: '/topic/epictopic', body: { msg_type: 'stf_gen', namespace: 'a', run_id: '1' } },
      { destination: '/topic/panda.results', headers: { 'client-id': 'me' }, text: 'broken {' },
    ]);
  });

  it('with a namespace, skips messages of other namespaces and of their runs', async () => {
    const { heard, say } = await listen(['mine']);
    await say('/topic/epictopic', { msg_type: 'run_imminent', namespace: 'mine', run_id: '1' });
    await say('/topic/epictopic', { msg_type: 'run_imminent', namespace: 'theirs', run_id: '2' });
    await say('/topic/panda.results', { msg_type: 'slice_result', run_id: '2' });
    await say('/topic/panda.results', { msg_type: 'slice_result', run_id: '1' });
    await say('/topic/panda.results', { msg_type: 'slice_result', run_id: '3' });
    await say('/topic/panda.results', { msg_type: 'slice_result', run_id: '9' }, { namespace: 'theirs' });
    await expect.poll(() => heard.length).toBe(3);
    expect(heard.map((line) => ('body' in line ? (line.body as { run_id: string }).run_id : ''))).toEqual([
      '1',
      '1',
      '3',
    ]);
  });

  it('records how long it has listened, even in silence', async () => {
    const { heard } = await listen();
    await expect.poll(() => heard.length).toBe(1);
    expect(heard).toEqual([{ until: expect.stringMatching(/^20\S+Z$/) as string }]);
  });

  it.each([
    ['nothing at all', [], undefined, ['nothing was received in the first minute: idle programs send nothing; ']],
    [
      'only messages of other namespaces',
      ['a'],
      'b',
      ['no message in namespace a was received in the first minute, but 1 in '],
    ],
    ['a message', ['a'], 'a', []],
  ])(
    'warns once if it has nothing to record in the first minute: it received %s',
    async (_, namespaces, namespace, words) => {
      const { said, heard, say } = await listen(namespaces);
      if (namespace !== undefined) await say('/topic/epictopic', { msg_type: 'stf_gen', namespace, run_id: '1' });
      // Beyond a minute.
      const silences = () => heard.filter((line) => 'until' in line).length;
      await expect.poll(silences).toBe(2);
      expect(said.slice(1)).toEqual(words.map((start) => expect.stringContaining(start) as string));
    },
  );

  it('does not warn about a silent first minute in which the connection was lost', async () => {
    const { broker, heard, said } = await listen();
    broker.goDown();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    broker.comeUp();
    const silences = () => heard.filter((line) => 'until' in line).length;
    await expect.poll(silences).toBe(3);
    expect(said).not.toContainEqual(expect.stringContaining('first minute'));
  });

  it('continues after a lost connection, and reports the gap', async () => {
    const { broker, heard, said, say } = await listen();
    await say('/topic/epictopic', '1');
    await expect.poll(() => heard.length).toBe(1);
    broker.goDown();
    await new Promise((resolve) => setTimeout(resolve, 5000));
    broker.comeUp();
    await expect.poll(() => heard.length).toBe(2);
    const [before, gap] = heard as [MessageLine, GapLine];
    expect(gap.gap.reason).toBe('the connection to the broker was lost');
    expect(Date.parse(gap.gap.from)).toBeGreaterThanOrEqual(Date.parse(before.t));
    expect(Date.parse(gap.gap.until) - Date.parse(gap.gap.from)).toBeGreaterThan(4000);
    await expect
      .poll(() => said)
      .toEqual([
        expect.stringMatching(/^subscribed to \/topic\/epictopic, /),
        expect.stringMatching(/^WARNING BROKER_UNREACHABLE: .*; retrying$/),
        'the broker is back',
      ]);
  });

  it('that ends while the broker is away records a gap', async () => {
    const { broker, heard, ending, done } = await listen();
    broker.goDown();
    await new Promise((resolve) => setTimeout(resolve, 5000));
    ending.abort();
    await done;
    expect(heard).toMatchObject([{ gap: { reason: 'the connection to the broker was lost' } }]);
  });
});
