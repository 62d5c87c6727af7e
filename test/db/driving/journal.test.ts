import { describe, expect, it } from 'vitest';

import { moveCursor, requireOwnership } from '../../../src/db/driving/journal.ts';
import { takeOver } from '../../../src/db/driving/take-over.ts';
import { noteApplied } from '../../../src/db/log/commands.ts';
import { type LivenessTest, registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';

/** A running execution, and two processes that may drive it. */
async function twoDrivers() {
  const { store } = await makeRunningStore();
  const register = (pid: number): Promise<number> =>
    store.write((tx) => registerProcess(tx, { pid, pid_started: '1', hostname: 'host-a' }, '1.0.0'));
  const [first, second] = [await register(101), await register(102)];
  const living = new Set([101, 102]);
  const take = (process: number): Promise<number> =>
    store.write((tx) => takeOwnership(tx, id, process, ({ pid }) => living.has(pid)));
  const write = (epoch: number | undefined): Promise<void> => store.write((tx) => requireOwnership(tx, id, epoch));
  return { store, first, second, living, take, write };
}

describe('the lease of an execution', () => {
  it('belongs to one live process, and gets a new epoch each time it is taken', async () => {
    const { first, second, living, take } = await twoDrivers();
    expect(await take(first)).toBe(1);
    // A process may take its own lease again.
    expect(await take(first)).toBe(2);
    await expect(take(second)).rejects.toThrow(
      'stf_datataking-tester-0001 is driven by process 101 on host-a; only a run whose process is gone can be resumed',
    );
    living.delete(101);
    expect(await take(second)).toBe(3);
    living.add(101);
    await expect(take(first)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
  });

  it('allows writes only in the current epoch, so a replaced driver cannot write', async () => {
    const { first, second, living, take, write } = await twoDrivers();
    await expect(write(1)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
    const before = await take(first);
    await write(before);
    living.delete(101);
    const after = await take(second);
    await write(after);
    await expect(write(before)).rejects.toThrow('has been taken over by another process; this process ends');
    await expect(write(after + 1)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
    // Agents of other processes have no epoch.
    await write(undefined);
  });
});

describe('a process that takes over an execution', () => {
  /** What the log says of the drivers, once a second process has taken the execution up. */
  async function takenUp({ hasEnded = false, lives = false, isPaused = false }) {
    const { store, say } = await makeRunningStore();
    const isAlive: LivenessTest = ({ pid }) => pid === 102 || lives;
    const take = (pid: number) =>
      store.write((tx) => {
        const identity = { pid, pid_started: '1', hostname: 'host-a' };
        const process_id = registerProcess(tx, identity, '1.0.0');
        const self = { process_id, identity, name: 'daq', user: 'ana', version: '1.0.0', isOverBroker: false };
        return takeOver(store, tx, id, self, { isAlive });
      });
    const { epoch } = await take(101);
    if (isPaused) {
      const { message_id } = await say('pause_workflow', { command_id: 'p' });
      await store.write((tx) => noteApplied(tx, message_id));
    }
    if (hasEnded) await say('driver_ended', { epoch, cause: 'interrupted' });
    await take(102);
    const types = `SELECT name FROM message_rows JOIN names ON name_no = type_no WHERE name GLOB 'driver_*' ORDER BY seq`;
    return store.sql<[], string>(types).values();
  }

  it('records the loss of the previous driver, unless that driver reported its end', async () => {
    expect(await takenUp({})).toEqual(['driver_started', 'driver_lost', 'driver_started']);
    expect(await takenUp({ hasEnded: true })).toEqual(['driver_started', 'driver_ended', 'driver_started']);
    await expect(takenUp({ lives: true })).rejects.toThrow(
      'is driven by process 101 on host-a; only a run whose process is gone',
    );
  });

  it('is told to use "swf-mcp continue" if the execution is paused and its driver is alive', async () => {
    await expect(takenUp({ lives: true, isPaused: true })).rejects.toThrow(
      `is paused, and process 101 on host-a drives it; continue it with "swf-mcp continue ${id}"`,
    );
    expect(await takenUp({ isPaused: true })).toHaveLength(3);
  });
});

describe('a cursor', () => {
  it('moves only from its current position, separately for each role', async () => {
    const { store } = await makeRunningStore();
    const move = (from: number, to: number, role = 'data'): Promise<boolean> =>
      store.write((tx) => moveCursor(tx, id, { role, from, to }));
    const steps: [from: number, to: number, moved: boolean][] = [
      [5, 9, false],
      [0, 5, true],
      [0, 6, false],
      [4, 9, false],
      [6, 9, false],
      [5, 9, true],
      [5, 9, false],
      [9, 12, true],
    ];
    for (const [from, to, moved] of steps) expect([from, to, await move(from, to)]).toEqual([from, to, moved]);
    expect(await move(0, 3, 'fastmon')).toBe(true);
    expect(store.db.prepare('SELECT role, seq FROM cursors ORDER BY role').all()).toEqual([
      { role: 'data', seq: 12 },
      { role: 'fastmon', seq: 3 },
    ]);
  });
});
