import { describe, expect, it } from 'vitest';

import { answerOf } from '../../src/commands/drive/control.ts';
import { registerProcess, takeOwnership } from '../../src/db/presence/leases.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { awaitEffect, type Command, type Outcome, recordCommand } from '../../src/runtime/commands.ts';
import { expectErrors } from '../codes.ts';
import { makeRunningStore, type TestStore } from '../helpers.ts';

const execution_id = 'stf_datataking-tester-0001';

/** A running execution with a live driver, and a stop that it has not accepted yet. */
async function askToStop(): Promise<TestStore & { command: Command }> {
  const made = await makeRunningStore();
  await made.store.write((tx) =>
    takeOwnership(tx, execution_id, registerProcess(tx, currentProcess(), '0.0.0'), () => true),
  );
  const command = await recordCommand(made.store, execution_id, { action: 'stop', by: { name: 'tester' } });
  if (command === undefined) throw new Error('there was nothing to stop');
  return { ...made, command };
}

describe('a stop', () => {
  it('is pending if the driver is alive and has not accepted it', async () => {
    const { store, command } = await askToStop();
    expect(await awaitEffect(store, command, { isAlive: () => true, patienceSeconds: 0 })).toEqual({
      effect: 'pending',
    });
  });

  it('is refused if the driver is gone', async () => {
    const { store, command } = await askToStop();
    const wait = awaitEffect(store, command, { isAlive: () => false, patienceSeconds: 1 });
    await expect(wait).rejects.toMatchObject({ code: 'EXECUTION_NOT_RUNNING' });
  });

  it('is applied if the driver has carried it out and ended during the check', async () => {
    const { store, command } = await askToStop();
    const isAlive = (): boolean => {
      store.db
        .prepare(
          `UPDATE message_rows SET effect = 'applied' WHERE seq = (SELECT seq FROM workflow_messages WHERE message_id = ?)`,
        )
        .run(command.message_id);
      return false;
    };
    expect(await awaitEffect(store, command, { isAlive, patienceSeconds: 1 })).toEqual({ effect: 'applied' });
  });
});

describe('the message for the outcome of a command', () => {
  const said = (outcome: Outcome): string => answerOf(outcome, { action: 'stop', execution_id });
  const failed = (outcome: Outcome): string => {
    try {
      return said(outcome);
    } catch (error) {
      return (error as { line: string }).line;
    }
  };

  it('says what happened, or is an error that says what to do', async () => {
    expect(failed({ effect: 'applied' })).toContain('is stopped; see "swf-mcp status ');
    expect(failed({ effect: 'already', reason: 'is already stopped' })).toBe(`${execution_id} is already stopped`);
    await expectErrors('commands', {
      none: failed({ effect: 'none', reason: 'the DAQ is done' }),
      pending: failed({ effect: 'pending' }),
    });
  });
});
