import { describe, expect, it } from 'vitest';

import { insertLogLine } from '../../../src/db/log/log-lines.ts';
import type { Store } from '../../../src/db/opening/store.ts';
import { interruptedExecutions, lastSignOf, ownerOf, takeOwnership } from '../../../src/db/presence/leases.ts';
import { makeRunningStore, noCounts, type TestStore } from '../../made-store.ts';
import { at, fakeClock, register, rowsOf } from './processes.ts';

const id = 'stf_datataking-tester-0001';

const take = (store: Store, process: number, execution_id = id, living = new Set<number>()): Promise<number> =>
  store.write((tx) => takeOwnership(tx, execution_id, process, ({ pid }) => living.has(pid)));

describe('the owner of an execution', () => {
  it('is the last process to take over the execution, and is returned with its last heartbeat', async () => {
    const setClock = fakeClock();
    const { store } = await makeRunningStore();
    expect(ownerOf(store.sql, id)).toBeUndefined();
    const [first, second] = [await register(store, 101), await register(store, 102, 'host-b')];
    setClock(3);
    await take(store, first);
    const row = { pid: 101, pid_started: '1', hostname: 'host-a', last_beat: at(0), is_remote: 0 };
    expect(ownerOf(store.sql, id)).toEqual({ ...row, process_id: first, epoch: 1, taken_at: at(3) });
    setClock(4);
    await take(store, second);
    expect(ownerOf(store.sql, id)).toMatchObject({ pid: 102, hostname: 'host-b', epoch: 2, taken_at: at(4) });
    expect(rowsOf(store, 'version, registered_at', 'processes')).toEqual([
      { version: '1.0.0', registered_at: at(0) },
      { version: '1.0.0', registered_at: at(0) },
    ]);
  });
});

describe('an execution', () => {
  it('can be taken over again by its driver, and by another process only once the driver is gone', async () => {
    const { store } = await makeRunningStore();
    const [first, second] = [await register(store, 101), await register(store, 102)];
    const living = new Set([101, 102]);
    expect([await take(store, first, id, living), await take(store, first, id, living)]).toEqual([1, 2]);
    await expect(take(store, second, id, living)).rejects.toMatchObject({
      code: 'EXECUTION_IN_USE',
      message: `${id} is driven by process 101 on host-a; only a run whose process is gone can be resumed`,
    });
    expect(ownerOf(store.sql, id)).toMatchObject({ pid: 101, epoch: 2 });
    living.delete(101);
    expect(await take(store, second, id, living)).toBe(3);
  });
});

describe('interrupted executions', () => {
  /** Four runs of a namespace, one ended and one without a driver, and one of another namespace. */
  async function runs(): Promise<TestStore> {
    const made = await makeRunningStore();
    const { store, say } = made;
    const start = { workflow_name: 'stf_datataking', params: {}, executed_by: 'tester', speed: 1 } as const;
    for (const n of [2, 3, 4, 5])
      await say('run_workflow', { ...start, command_id: `c${n}`, namespace: n === 4 ? 'other' : 'test' });
    for (const n of [1, 2, 3, 4]) {
      const process = await register(store, 100 + n);
      await take(store, process, `stf_datataking-tester-000${n}`);
    }
    const ended = { execution_id: 'stf_datataking-tester-0003', run_id: '100012' };
    await say('workflow_ended', { ...noCounts, ...ended, status: 'completed', reason: 'completed' });
    return made;
  }

  it('are running executions whose driver is gone, newest first', async () => {
    const { store } = await runs();
    const interrupted = (namespace: string | undefined, ...living: number[]): string =>
      interruptedExecutions(store.sql, namespace, ({ pid }) => living.includes(pid))
        .map(({ execution_id }) => execution_id.slice(-1))
        .join(' ');
    expect(interrupted(undefined)).toBe('4 2 1');
    expect(interrupted('test')).toBe('2 1');
    expect(interrupted('other')).toBe('4');
    expect(interrupted('nobody')).toBe('');
    expect(interrupted(undefined, 102)).toBe('4 1');
    expect(interrupted(undefined, 101, 102, 104)).toBe('');
  });
});

describe('the last sign of life of a process', () => {
  it('is its last heartbeat, or a later message or log line from its agents', async () => {
    fakeClock();
    const { store, say } = await makeRunningStore();
    const [process_id, other] = [await register(store, 101), await register(store, 102)];
    await store.write(({ sql }) => {
      for (const [name, process] of [
        ['daq', process_id],
        ['data', process_id],
        ['worker', other],
      ] as const)
        sql(
          `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES (?, 'data', 'test', 'READY', '', ?)`,
        ).run(name, process);
    });
    let ordinal = 0;
    const speak = (sender: string, second: number): Promise<unknown> =>
      say('resume_run', { sender, ordinal: (ordinal += 1), reason: 'operator' }, { recordedAt: at(second) });
    const log = (agent: string, second: number): Promise<unknown> =>
      store.write((tx) => insertLogLine(tx, { timestamp: at(second), level: 20, agent, message: 'hello' }));
    const sign = () => {
      const { at: moment, by } = lastSignOf(store.sql, { process_id, last_beat: at(10) });
      return [by, moment];
    };
    expect(sign()).toEqual(['beat', at(10)]);
    await speak('daq', 10);
    await log('data', 9);
    await speak('worker', 99);
    await log('worker', 99);
    // Agents of others do not count, and a heartbeat at the same moment comes first.
    expect(sign()).toEqual(['beat', at(10)]);
    await speak('daq', 11);
    expect(sign()).toEqual(['message', at(11)]);
    await log('data', 12);
    expect(sign()).toEqual(['log', at(12)]);
    await speak('data', 13);
    await log('daq', 12.5);
    expect(sign()).toEqual(['message', at(13)]);
    expect(lastSignOf(store.sql, { process_id: 99, last_beat: at(1) })).toEqual({ at: at(1), by: 'beat' });
  });
});
