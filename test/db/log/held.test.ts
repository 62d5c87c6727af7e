import { describe, expect, it } from 'vitest';

import { heldBy, isHeld, noteApplied } from '../../../src/db/log/commands.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';

/** A running execution, and its drivers by epoch. Each row is recorded an hour before the last one, as by clocks that are off. */
async function driven() {
  const made = await makeRunningStore();
  const { store } = made;
  let clock = Date.now() + 36_000_000;
  const earlier = () => ({ recordedAt: new Date((clock -= 3_600_000)).toISOString() });
  const driver = { pid: 7, user: 'tester', version: '1.0.0', speed: 1, hostname: 'host' } as const;
  const take = (epoch: number) => made.say('driver_started', { ...driver, epoch }, earlier());
  const carryOut = async (type: 'pause_workflow' | 'resume_workflow', command_id: string): Promise<void> => {
    const { message_id } = await made.say(type, { command_id }, earlier());
    await store.write((tx) => noteApplied(tx, message_id));
  };
  const held = () => [isHeld(store.sql, id), heldBy(store.sql, id)?.command_id];
  return { ...made, take, carryOut, held };
}

describe('an execution that an operator pauses', () => {
  it('is held by its last pause, from when the driver applies it until the execution resumes', async () => {
    const { say, take, carryOut, held } = await driven();
    await take(1);
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

  it('is no longer held once another driver takes it over', async () => {
    const { take, carryOut, held } = await driven();
    await take(1);
    await carryOut('pause_workflow', 'p1');
    await take(2);
    expect(held()).toEqual([false, undefined]);
    await carryOut('pause_workflow', 'p2');
    expect(held()).toEqual([true, 'p2']);
  });

  it('is the only one that the pause holds', async () => {
    const { store, take, carryOut } = await driven();
    await take(1);
    await carryOut('pause_workflow', 'p1');
    expect([isHeld(store.sql, 'another'), heldBy(store.sql, 'another')]).toEqual([false, undefined]);
  });
});
