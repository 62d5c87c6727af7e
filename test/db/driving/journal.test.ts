import { describe, expect, it } from 'vitest';

import { moveCursor, requireOwnership } from '../../../src/db/driving/journal.ts';
import { registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
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
      'stf_datataking-tester-0001 is driven by process 101 on host-a; wait until it ends, or stop it first',
    );
    living.delete(101);
    expect(await take(second)).toBe(3);
    living.add(101);
    await expect(take(first)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
  });

  it('allows writes only in the current epoch, so a replaced driver that wakes up late cannot write', async () => {
    const { first, second, living, take, write } = await twoDrivers();
    await expect(write(1)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
    const before = await take(first);
    await write(before);
    living.delete(101);
    const after = await take(second);
    await write(after);
    await expect(write(before)).rejects.toThrow('has been taken over by another process; this one ends');
    await expect(write(after + 1)).rejects.toMatchObject({ code: 'EXECUTION_IN_USE' });
    // Agents of other processes have no epoch.
    await write(undefined);
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
