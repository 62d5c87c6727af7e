import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { registerProcess } from '../../src/db/presence/leases.ts';
import { becomeRecorder, brokerAwaySince } from '../../src/db/presence/recorders.ts';
import { recordRemoteHeartbeat } from '../../src/db/presence/remote-agents.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { type BrokerLink, createBrokerLink } from '../../src/recorder/broker-link.ts';
import { makeStore, type TestStore } from '../helpers.ts';
import { heartbeat } from './beats.ts';

let made: TestStore;
let isUp = true;
let isSpeaking = true;
let onUp: () => void;
let link: BrokerLink;

const seconds = (n: number) => vi.advanceTimersByTimeAsync(n * 1000);
const awaySince = () => brokerAwaySince(made.store.sql, 'test');

beforeEach(async () => {
  made = await makeStore();
  await made.store.write((tx) =>
    becomeRecorder(tx, 'test', registerProcess(tx, currentProcess(), '0.0.0'), () => true),
  );
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  [isUp, isSpeaking] = [true, true];
  link = createBrokerLink({
    broker: { isUp: () => isUp, onUp: (call) => (onUp = call) },
    store: made.store,
    namespace: 'test',
    isSpeaking: () => isSpeaking,
    onFault: (error) => {
      throw error;
    },
  });
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
});

it('the broker counts as away while the recorder’s own reports do not return', async () => {
  await seconds(5);
  link.noteHeard();
  await seconds(9);
  expect(awaySince()).toBeUndefined();
  expect(link.hearingMilliseconds()).toBe(14_000);
  await seconds(1.5);
  expect(awaySince()).toBe('2026-01-01T00:00:05.000Z');
  expect(link.hearingMilliseconds()).toBe(0);
  link.noteHeard();
  await seconds(2);
  expect(awaySince()).toBeUndefined();
  expect(link.hearingMilliseconds()).toBe(2000);
});

it('the broker does not count as away after the process itself was suspended', async () => {
  await seconds(2);
  link.noteHeard();
  const now = performance.now.bind(performance);
  // No timer ran meanwhile.
  vi.setSystemTime(Date.now() + 30_000);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 30_000);
  onTestFinished(() => void vi.restoreAllMocks());
  await seconds(1);
  expect(awaySince()).toBeUndefined();
  // From then on silence counts.
  await seconds(10);
  expect(awaySince()).toBe('2026-01-01T00:00:32.000Z');
});

it('the broker does not count as away if no reports are sent', async () => {
  isSpeaking = false;
  await seconds(60);
  isSpeaking = true;
  await seconds(9);
  expect(awaySince()).toBeUndefined();
});

it('after a break of the connection, the broker counts as away until a report returns', async () => {
  await seconds(3);
  isUp = false;
  link.noteBreak();
  link.noteHeard();
  await seconds(40);
  expect(awaySince()).toBe('2026-01-01T00:00:03.000Z');
  isUp = true;
  onUp();
  // Results that waited in the broker come now.
  link.noteSign();
  await seconds(4);
  expect(awaySince()).toBe('2026-01-01T00:00:03.000Z');
  link.noteHeard();
  await seconds(0);
  expect(awaySince()).toBeUndefined();
});

it('if no reports are sent, the broker counts as back once the connection is back', async () => {
  isUp = false;
  link.noteBreak();
  await seconds(3);
  isSpeaking = false;
  isUp = true;
  onUp();
  await seconds(0);
  expect(awaySince()).toBeUndefined();
});

it('other messages keep the broker from counting as away, but only a report brings it back', async () => {
  for (let second = 0; second < 30; second += 5) {
    await seconds(5);
    link.noteSign();
  }
  expect(awaySince()).toBeUndefined();
  await seconds(11);
  expect(awaySince()).toBe('2026-01-01T00:00:30.000Z');
  link.noteSign();
  await seconds(2);
  expect(awaySince()).toBe('2026-01-01T00:00:30.000Z');
  link.noteHeard();
  await seconds(0);
  expect(awaySince()).toBeUndefined();
  // Messages that arrived while it was away do not count.
  expect(link.hearingMilliseconds()).toBe(0);
});

it('the broker counts as away from the start of its silence, not from a later break of the connection', async () => {
  await seconds(11);
  isUp = false;
  link.noteBreak();
  await seconds(5);
  expect(awaySince()).toBe('2026-01-01T00:00:00.000Z');
  isUp = true;
  onUp();
  link.noteHeard();
  link.close();
  await seconds(60);
  expect(awaySince()).toBeUndefined();
});

it('silence is forgiven only for agents that were alive when the broker went away', async () => {
  const beatAt = async (name: string): Promise<void> => {
    void made.store.write((tx) => recordRemoteHeartbeat(tx, heartbeat(name, 'worker', { since: name })));
    await seconds(0);
  };
  const signs = (): unknown =>
    made.store.db.prepare('SELECT agent_name AS name, last_heartbeat AS at FROM system_agents ORDER BY name').all();
  await beatAt('gone before');
  for (let second = 0; second < 20; second += 5) {
    await seconds(5);
    link.noteHeard();
  }
  await beatAt('living');
  await seconds(5);
  isUp = false;
  link.noteBreak();
  await seconds(100);
  isUp = true;
  onUp();
  link.noteHeard();
  await seconds(0);
  expect(signs()).toEqual([
    { name: 'gone before', at: '2026-01-01T00:00:00.000Z' },
    { name: 'living', at: '2026-01-01T00:02:05.000Z' },
  ]);
});
