import { brokerSettings } from '../../config/broker.ts';
import type { Store } from '../../db/opening/store.ts';
import type { Action } from '../../domain/states.ts';
import { pause } from '../../lib/deadline.ts';
import { executionNotRunning, hasCode, SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import {
  awaitEffect,
  type Command,
  effects,
  giveCommand,
  type Outcome,
  recordCommand,
  requireControllable,
  stopped,
} from '../../runtime/commands.ts';
import { resumeExecution } from '../../runtime/start-execution.ts';
import { type ControlArguments, requireControlOptions } from '../control/control-options.ts';
import { type Io, userName } from '../shared/io.ts';
import { existingStore } from '../shared/own-store.ts';
import { printLines } from '../shared/print-lines.ts';
import { hostOptions, recordedConfig } from './drive.ts';

/**
 * How long to wait for the effect, in seconds: a driver checks for commands 20 times a second, and ends a run
 * within seconds.
 */
const patienceSeconds = 30;

/**
 * `swf-mcp stop`, `pause`, `continue`: sends the command to a running execution, and waits until the effect
 * is seen.
 */
export const controlCommand = (action: Action) => async (io: Io, args: ControlArguments) => {
  requireControlOptions(args);
  const asked = { action, by: { name: args.sender ?? userName(io), claimed: args.requestedBy }, reason: args.reason };
  using store = await existingStore(io);
  const { execution_id } = requireControllable(store.sql, args.executionId, action);
  const onWait = () =>
    io.err(
      `waiting up to ${patienceSeconds} s for the process that drives ${execution_id}, which has not answered yet`,
    );
  const ask = () => giveCommand(store, execution_id, asked, options);
  const options = {
    isAlive,
    patienceSeconds,
    onWait,
    stopUndriven: async () => {
      const command = await recordCommand(store, execution_id, asked);
      if (command === undefined) return stopped;
      if (await endInterrupted(io, store, command)) return awaitEffect(store, command, options);
      // Another process may be resuming or ending the execution, so try again.
      await pause(againMilliseconds);
      return ask();
    },
  };
  printLines(io, [answerOf(await ask(), { action, execution_id })]);
  io.tellParent({ event: 'done' });
};

/**
 * How long to wait before trying again, in milliseconds. If an execution without a driver is to be stopped, a
 * recorder service may take five seconds to resume it.
 */
const againMilliseconds = 1000;

const pastOf = { stop: 'stopped', pause: 'paused', continue: 'continued' };

/**
 * An outcome as a sentence. Throws `EXECUTION_NOT_RUNNING` for a refused command, and `COMMAND_PENDING` for one
 * not yet accepted.
 */
export function answerOf(outcome: Outcome, command: { action: Action; execution_id: string }) {
  const { action, execution_id } = command;
  const status = `"swf-mcp status ${execution_id}"`;
  const next = { stop: `; see ${status}`, pause: `; continue with "swf-mcp continue ${execution_id}"`, continue: '' };
  switch (outcome.effect) {
    case 'already':
      return `${execution_id} ${outcome.reason}`;
    case 'none':
      throw executionNotRunning(`${execution_id} cannot be ${pastOf[action]}: ${outcome.reason}; see ${status}`);
    case 'pending':
      throw new SwfError(
        'COMMAND_PENDING',
        `the process that drives ${execution_id} did not accept the command within ${patienceSeconds} s; the command remains on record and takes effect when that process continues; check with ${status}`,
      );
    case 'applied':
      return `${execution_id} ${effects[action]}${next[action]}`;
  }
}

/**
 * Resumes an execution that has no driver in order to end it, so that everyone learns of its end. Returns false
 * if another process has resumed or ended it in the meantime.
 */
async function endInterrupted(io: Io, store: Store, { execution_id, message_id }: Command) {
  const config = recordedConfig(store, execution_id);
  try {
    const options = hostOptions(io, { store, config, broker: brokerSettings(undefined, config.broker, io.env) });
    const running = await resumeExecution(options, { execution_id, follows: message_id });
    await running.done;
    return true;
  } catch (error) {
    if (hasCode(error, 'EXECUTION_IN_USE', 'EXECUTION_NOT_RUNNING')) return false;
    throw error;
  }
}
