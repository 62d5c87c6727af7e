import { afterEach, expect, it, vi } from 'vitest';

import { recordRemoteHeartbeat } from '../../../src/db/presence/remote-agents.ts';
import type { AgentHeartbeat } from '../../../src/messages/telemetry.ts';
import { makeStore } from '../../made-store.ts';
import { heartbeat } from '../../recorder/beats.ts';

afterEach(() => void vi.useRealTimers());

const start = Date.parse('2026-11-28T08:00:00Z');

const beat = (said: number): AgentHeartbeat =>
  heartbeat('worker-1', 'worker', { timestamp: new Date(said).toISOString() });

it('delayed heartbeats show no clock offset, but timely ones do', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { store } = await makeStore();
  /** Records a heartbeat that arrives and was sent at the given seconds after the start. Returns the clock offset known then. */
  const hear = async (comes: number, said: number): Promise<number | null | undefined> => {
    vi.setSystemTime(start + comes * 1000);
    await store.write((tx) => recordRemoteHeartbeat(tx, beat(start + said * 1000)));
    return store
      .sql<[], { offset: number | null }>(
        `SELECT clock_offset AS offset FROM system_agents WHERE agent_name = 'worker-1'`,
      )
      .get()?.offset;
  };
  // The first one may have waited for the recorder to begin.
  expect(await hear(0, -40)).toBeNull();
  expect(await hear(5, 5)).toBeNull();
  expect(await hear(10, 10)).toBe(0);
  // The line is cut for half a minute; then all come at once.
  for (const said of [15, 20, 25, 30, 35]) expect(await hear(40 + said / 1000, said)).toBe(0);
  expect(await hear(45, 45)).toBe(0);
  // It is cut for less than two intervals.
  expect(await hear(54.9, 50)).toBe(0);
  expect(await hear(55, 55)).toBe(0);
  expect(await hear(60, 60)).toBe(0);
  // The clock there is set back for good.
  expect(await hear(65, -25)).toBe(0);
  expect(await hear(70, -20)).toBe(-90);
  expect(await hear(75, -15)).toBe(-90);
});
