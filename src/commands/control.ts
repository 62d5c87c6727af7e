import { requireExecution } from '../db/lists/executions.ts';
import { openExistingStore, type Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Action } from '../domain/states.ts';
import { SwfError } from '../lib/errors.ts';
import { createLog } from '../lib/logger.ts';
import { isAlive } from '../lib/process-identity.ts';
import { awaitEffect, type Command, isDriven, nobodyDrives, recordCommand } from '../runtime/commands.ts';
import { resumeWorkflow } from '../runtime/start-execution.ts';
import { exitCodes, type Io, logLevel, storeOption, storeOptions, storePath, userName } from './io.ts';
import { recordedSetup } from './resume.ts';

/** A driver looks for commands 20 times a second, and ends a run within seconds. */
const patienceSeconds = 30;

/** As the tool takes it. */
export const mostReason = 300;

/** `swf-mcp stop`, `pause`, `continue`: asks a running execution, and returns when it is seen to take effect. */
export async function controlCommand(
  io: Io,
  action: Action,
  executionId: string,
  reason = `stopped by ${userName(io)}`,
): Promise<number> {
  const user = userName(io);
  const path = storePath(io);
  if (reason === '' || reason.length > mostReason)
    throw new SwfError('ARGUMENT_INVALID', `--reason has ${reason.length} characters; give 1 to ${mostReason}`);
  const store = await openExistingStore(path, storeOptions(io));
  try {
    const { execution_id, status } = requireExecution(preparer(store.db), executionId);
    const driven = status !== 'running' || isDriven(store, execution_id, isAlive);
    if (!driven && action !== 'stop') throw nobodyDrives(execution_id, storeOption(io));
    const command = await recordCommand(store, execution_id, { action, user, reason });
    if (command === undefined) {
      io.out(`${execution_id} is stopped already\n`);
      return exitCodes.fine;
    }
    if (!driven) {
      const isOurs = await endInterrupted(io, store, command).then(
        () => true,
        (error: unknown) => {
          const isTaken =
            error instanceof SwfError && (error.code === 'EXECUTION_IN_USE' || error.code === 'EXECUTION_NOT_RUNNING');
          if (isTaken) return false;
          throw error;
        },
      );
      // Somebody else has taken it up in the meantime, or has ended it: ask again how it stands.
      if (!isOurs) return await controlCommand(io, action, executionId, reason);
    }
    io.out(`${await answerTo(io, store, action, command)}\n`);
    return exitCodes.fine;
  } finally {
    store.close();
  }
}

async function answerTo(io: Io, store: Store, action: Action, command: Command): Promise<string> {
  const { execution_id } = command;
  const onWait = (): void =>
    io.err(`waiting up to ${patienceSeconds} s for the process that drives ${execution_id}, which does not answer yet`);
  const outcome = await awaitEffect(store, command, { isAlive, patienceSeconds, onWait, storeOption: storeOption(io) });
  const next = (name: string): string => `swf-mcp${storeOption(io)} ${name} ${execution_id}`;
  if (outcome.effect === 'already') return `${execution_id} ${outcome.reason}`;
  if (outcome.effect === 'none')
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `${execution_id} cannot ${action}: ${outcome.reason}; see "${next('status')}"`,
    );
  if (outcome.effect === 'pending')
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `the process that drives ${execution_id} has not taken the command up in ${patienceSeconds} s; it stays recorded; look with "${next('status')}"`,
    );
  switch (action) {
    case 'stop':
      return `${execution_id} is stopped; see "${next('status')}"`;
    case 'pause':
      return `${execution_id} is paused: no STF is made, workers finish the slice in hand; go on with "${next('continue')}"`;
    case 'continue':
      return `${execution_id} goes on`;
  }
}

/** Nobody drives it any more: it is taken up only to be ended, so that everybody hears of it. */
async function endInterrupted(io: Io, store: Store, { execution_id, message_id }: Command): Promise<void> {
  const { config, speed, broker } = recordedSetup(io, store, execution_id);
  const running = await resumeWorkflow(
    {
      store,
      config,
      speed,
      broker: broker(),
      user: userName(io),
      logLevel: logLevel(io),
      log: createLog('WARNING', (line) => io.err(line)),
      environment: io.env,
    },
    execution_id,
    message_id,
  );
  await running.done;
}
