import { onTestFinished, vi } from 'vitest';

import type { Store } from '../../../src/db/opening/store.ts';
import { registerProcess } from '../../../src/db/presence/leases.ts';
import { recordRemoteHeartbeat } from '../../../src/db/presence/remote-agents.ts';
import type { AgentHeartbeat } from '../../../src/messages/telemetry.ts';

/** The moment at which these tests begin, in milliseconds since 1970. */
export const begin = Date.parse('2026-03-01T10:00:00.000Z');

/** The given number of seconds after it, in ISO 8601. */
export const at = (seconds: number): string => new Date(begin + seconds * 1000).toISOString();

/** Starts a fake wall clock for one test. Returns a function that sets it to a number of seconds after the beginning. */
export function fakeClock(): (seconds: number) => void {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: begin });
  onTestFinished(() => void vi.useRealTimers());
  return (seconds) => void vi.setSystemTime(begin + seconds * 1000);
}

/** Registers a process of a host. */
export const register = (store: Store, pid: number, hostname = 'host-a'): Promise<number> =>
  store.write((tx) => registerProcess(tx, { pid, pid_started: '1', hostname }, '1.0.0'));

/** The rows of a table, in the order of creation. */
export const rowsOf = (store: Store, columns: string, table: string): unknown[] =>
  store.sql<[], Record<string, unknown>>(`SELECT ${columns} FROM ${table}`).all();

const beatOf = (fields: Partial<AgentHeartbeat>): AgentHeartbeat => ({
  msg_type: 'agent_heartbeat',
  sender: 'w',
  namespace: 'test',
  agent_name: 'w',
  agent_type: 'worker',
  state: 'READY',
  in_hand: [],
  free_slots: 1,
  off_duty: [],
  hostname: 'host-r',
  pid: 7,
  boot_id: 'b',
  version: '1.2.3',
  wire: 2,
  since: at(0),
  ...fields,
});

/** Records a heartbeat of the remote agent `w`. */
export const hear = (store: Store, fields: Partial<AgentHeartbeat>): Promise<void> =>
  store.write((tx) => recordRemoteHeartbeat(tx, beatOf(fields)));
