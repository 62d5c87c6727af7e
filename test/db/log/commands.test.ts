import { describe, expect, it } from 'vitest';

import {
  commandState,
  noteApplied,
  noteRefused,
  refuseWaiting,
  waitingCommands,
} from '../../../src/db/log/commands.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const nameOf = (type: string, command: string): string => `${id}/${type}/${command}`;
const [stop, pause, resume] = [
  nameOf('stop_workflow', 's1'),
  nameOf('pause_workflow', 'p1'),
  nameOf('resume_workflow', 'r1'),
];

/** A running execution with commands to pause, resume and stop it. */
async function withCommands() {
  const made = await makeRunningStore();
  await made.say('pause_workflow', { command_id: 'p1', reason: 'a look at the magnet' });
  await made.say('resume_workflow', { command_id: 'r1' });
  await made.say('stop_workflow', { command_id: 's1' });
  const { sql } = made.store;
  const waiting = (): string[] =>
    waitingCommands(sql, id, ['stop_workflow', 'pause_workflow', 'resume_workflow']).map(
      (message) => message.command_id,
    );
  return { ...made, sql, waiting };
}

describe('a command to the driver', () => {
  it('waits in the log, behind older commands, until the driver applies or refuses it', async () => {
    const { store, sql, waiting } = await withCommands();
    expect(waiting()).toEqual(['p1', 'r1', 's1']);
    expect(commandState(sql, pause)).toBe('waiting');
    await store.write((tx) => noteApplied(tx, pause));
    expect(commandState(sql, pause)).toEqual({ effect: 'applied' });
    await store.write((tx) => noteRefused(tx, resume, 'ALREADY', 'the run goes on already'));
    expect(commandState(sql, resume)).toEqual({ effect: 'none', code: 'ALREADY', reason: 'the run goes on already' });
    expect(waiting()).toEqual(['s1']);
    expect(commandState(sql, stop)).toBe('waiting');
  });

  it('is found by its type, with its fields', async () => {
    const { sql } = await withCommands();
    expect(waitingCommands(sql, id, ['pause_workflow'])).toMatchObject([
      { msg_type: 'pause_workflow', command_id: 'p1', reason: 'a look at the magnet', execution_id: id },
    ]);
    expect(waitingCommands(sql, id, ['resume_workflow', 'stop_workflow'])).toMatchObject([
      { command_id: 'r1' },
      { command_id: 's1' },
    ]);
    expect(waitingCommands(sql, id, [])).toEqual([]);
    expect(waitingCommands(sql, 'another', ['stop_workflow'])).toEqual([]);
  });

  it.each([
    ['along with all other waiting commands', undefined, []],
    ['unless it is explicitly kept', stop, ['s1']],
  ])('is refused if no driver will apply it, %s', async (_, except, left) => {
    const { store, sql, waiting } = await withCommands();
    await store.write((tx) => noteApplied(tx, resume));
    await store.write((tx) => refuseWaiting(tx, 'another', { code: 'DRIVER_GONE', reason: 'gone' }));
    expect(waiting()).toEqual(['p1', 's1']);
    await store.write((tx) => refuseWaiting(tx, id, { code: 'DRIVER_GONE', reason: 'its driver is gone', except }));
    expect(waiting()).toEqual(left);
    expect(commandState(sql, pause)).toEqual({ effect: 'none', code: 'DRIVER_GONE', reason: 'its driver is gone' });
    // A command that was applied stays applied.
    expect(commandState(sql, resume)).toEqual({ effect: 'applied' });
  });

  it('causes an error if it is not in the log', async () => {
    const { sql } = await withCommands();
    expect(() => commandState(sql, nameOf('stop_workflow', 's2'))).toThrow(
      `the command ${nameOf('stop_workflow', 's2')} is not recorded`,
    );
  });
});
