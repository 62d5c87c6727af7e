import { describe, expect, it } from 'vitest';

import { noteApplied } from '../../../src/db/log/commands.ts';
import { heldBy, isHeld } from '../../../src/db/log/held.ts';
import { registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';

/** A running execution with a driver. Commands come seconds after the driver took it. */
async function driven() {
  const made = await makeRunningStore();
  const { store } = made;
  let later = Date.now();
  const take = async (pid: number): Promise<void> => {
    await store.write((tx) => {
      const process = registerProcess(tx, { pid, pid_started: '1', hostname: 'host-a' }, '1.0.0');
      takeOwnership(tx, id, process, () => false);
      later += 10_000;
      tx.sql('UPDATE execution_owners SET taken_at = ?').run(new Date(later).toISOString());
    });
  };
  const carryOut = async (type: 'pause_workflow' | 'resume_workflow', command_id: string): Promise<void> => {
    later += 10_000;
    const { message_id } = await made.say(type, { command_id }, { recordedAt: new Date(later).toISOString() });
    await store.write((tx) => noteApplied(tx, message_id));
  };
  const held = () => [isHeld(store.sql, id), heldBy(store.sql, id)?.command_id];
  return { ...made, take, carryOut, held };
}

describe('an execution that an operator pauses', () => {
  it('is held by its last pause from when the driver applies it until it resumes', async () => {
    const { say, take, carryOut, held } = await driven();
    await take(101);
    expect(held()).toEqual([false, undefined]);
    await say('pause_workflow', { command_id: 'p0' });
    // No driver has applied it.
    expect(held()).toEqual([false, undefined]);
    await carryOut('pause_workflow', 'p1');
    expect(held()).toEqual([true, 'p1']);
    await carryOut('resume_workflow', 'r1');
    expect(held()).toEqual([false, undefined]);
    await carryOut('pause_workflow', 'p2');
    expect(held()).toEqual([true, 'p2']);
  });

  it('is no longer held once another driver takes it', async () => {
    const { take, carryOut, held } = await driven();
    await take(101);
    await carryOut('pause_workflow', 'p1');
    await take(102);
    expect(held()).toEqual([false, undefined]);
    await carryOut('pause_workflow', 'p2');
    expect(held()).toEqual([true, 'p2']);
  });

  it('holds no other execution', async () => {
    const { store, take, carryOut } = await driven();
    await take(101);
    await carryOut('pause_workflow', 'p1');
    expect([isHeld(store.sql, 'another'), heldBy(store.sql, 'another')]).toEqual([false, undefined]);
  });
});
