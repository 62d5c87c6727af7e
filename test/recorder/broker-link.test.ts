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

it('the broker counts as away if the recorder’s reports do not return, until the next one does', async () => {
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

it('the broker does not count as away if the process itself stood still', async () => {
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

it('the broker counts as away from the break of the connection until it is back and returns a report', async () => {
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

it('a process that sends no reports counts the broker as back once it is connected', async () => {
  isUp = false;
  link.noteBreak();
  await seconds(3);
  isSpeaking = false;
  isUp = true;
  onUp();
  await seconds(0);
  expect(awaySince()).toBeUndefined();
});

it('the broker does not count as away while other messages arrive, but only a report brings it back', async () => {
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

it('the broker counts as away since its first failure, and a closed link checks nothing', async () => {
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

it('the silence of agents that were alive when the broker went away is forgiven, that of others is not', async () => {
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
