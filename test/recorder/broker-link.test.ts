import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { registerProcess } from '../../src/db/presence/leases.ts';
import { becomeRecorder, brokerAwaySince } from '../../src/db/presence/recorders.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { BrokerLink } from '../../src/recorder/broker-link.ts';
import { makeStore, type TestStore } from '../helpers.ts';

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
  link = new BrokerLink({
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

it('is lost when its own reports do not come back, before an agent counts as late, and found by the next word', async () => {
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

it('is not lost where its own process stood still, and so sent nothing', async () => {
  await seconds(2);
  link.noteHeard();
  // No timer ran meanwhile.
  vi.setSystemTime(Date.now() + 30_000);
  const late = performance.now() + 30_000;
  vi.spyOn(performance, 'now').mockImplementation(() => late);
  await seconds(1);
  expect(awaySince()).toBeUndefined();
  vi.restoreAllMocks();
});

it('is not lost where nothing is sent that could come back', async () => {
  isSpeaking = false;
  await seconds(60);
  isSpeaking = true;
  await seconds(9);
  expect(awaySince()).toBeUndefined();
});

it('is lost from its break on, and found when the connection is back', async () => {
  await seconds(3);
  isUp = false;
  link.noteBreak();
  link.noteHeard();
  await seconds(40);
  expect(awaySince()).toBe('2026-01-01T00:00:03.000Z');
  isUp = true;
  onUp();
  await seconds(0);
  expect(awaySince()).toBeUndefined();
});
