import { randomUUID } from 'node:crypto';

import { requireExecution, requireOwn } from '../db/execution/find-execution.ts';
import { driverEnd } from '../db/execution/log-reader.ts';
import { type CommandState, commandState, noteRefused } from '../db/log/commands.ts';
import type { Store } from '../db/opening/store.ts';
import { isProcessAlive, type LivenessTest, ownerOf, type ProcessSigns } from '../db/presence/leases.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import type { Action } from '../domain/states.ts';
import { pause } from '../lib/deadline.ts';
import { executionInUse, executionNotRunning } from '../lib/errors.ts';
import { utcNow } from '../lib/time.ts';
import type { Message } from '../messages/message.ts';

const messageTypes = { stop: 'stop_workflow', pause: 'pause_workflow', continue: 'resume_workflow' } as const;

export interface Command {
  action: Action;
  execution_id: string;
  message_id: string;
}

/**
 * The person who gave a command: a name that this program has verified, and perhaps a person's name that is
 * only claimed.
 */
interface Requester {
  name: string;
  /** The claim is not verified. */
  claimed?: string | undefined;
}

interface Asked {
  action: Action;
  by: Requester;
  reason?: string | undefined;
}

/**
 * The outcome of a command. `already`: the execution was already in the requested state, which `reason`
 * names. `none`: the command was refused, for `reason`. `pending`: the driver has not carried it out in
 * time; it stays recorded.
 */
export type Outcome =
  | { effect: 'applied' }
  | { effect: 'pending'; reason?: string }
  | { effect: 'already' | 'none'; reason: string };

/** The state of an execution after an action has been carried out, in words. */
export const effects: Readonly<Record<Action, string>> = {
  stop: 'is stopped',
  pause: 'is paused: the DAQ makes no more STFs, and workers finish their current slice',
  continue: 'continues',
};

const purposes: Readonly<Record<Action, string>> = { stop: 'be stopped', pause: 'be paused', continue: 'be continued' };

/**
 * The execution that a command is for. Throws `EXECUTION_NOT_FOUND`, and `ARGUMENT_INVALID` for another
 * program's execution.
 */
export const requireControllable = (sql: Prepare, executionId: string, action: Action) =>
  requireOwn(requireExecution(sql, executionId), purposes[action]);

/**
 * Records a command for the driver of a running execution; returns `undefined` if a stop is requested and
 * the execution was already stopped. Throws `EXECUTION_NOT_FOUND`, `EXECUTION_NOT_RUNNING` if it has ended,
 * and `ARGUMENT_INVALID` for another program's execution.
 */
export async function recordCommand(
  store: Store,
  executionId: string,
  { action, by, reason = action === 'stop' ? `stopped by ${by.claimed ?? by.name}` : undefined }: Asked,
): Promise<Command | undefined> {
  return store.write((tx) => {
    const { execution_id, namespace, run_number, status } = requireControllable(tx.sql, executionId, action);
    if (action === 'stop' && status === 'terminated') return undefined;
    if (status !== 'running')
      throw executionNotRunning(`${execution_id} has ended (${status}); there is nothing to ${action}`);
    const command = {
      sender: by.name,
      namespace,
      execution_id,
      run_id: String(run_number),
      timestamp: utcNow(),
      command_id: randomUUID(),
      claimed_by: by.claimed,
      reason,
    };
    const message: Message =
      action === 'stop'
        ? { ...command, msg_type: 'stop_workflow', state: 'stopped' }
        : { ...command, msg_type: messageTypes[action] };
    return { action, execution_id, message_id: store.messages.record(tx, message).message_id };
  });
}

/**
 * Whether a driver of this execution is alive. A service may outlive its driver, for example when the disk is
 * full.
 */
export function isDriven(store: Store, executionId: string, isAlive: LivenessTest) {
  const { execution_id } = requireExecution(store.sql, executionId);
  const owner = ownerOf(store.sql, execution_id);
  if (owner === undefined || !isProcessAlive(owner, isAlive)) return false;
  return driverEnd(store.sql, execution_id, owner.epoch) === undefined;
}

/** How often to check whether the driver has handled a command, in milliseconds. */
const lookMilliseconds = 50;

/** If a wait is longer than this, in milliseconds, the user is told the reason. */
const soonMilliseconds = 2000;

interface WaitOptions {
  isAlive: LivenessTest;
  patienceSeconds: number;
  /** Called once when the wait becomes noticeable. */
  onWait?: () => void;
}

/**
 * Waits until the driver has handled a command. Throws `EXECUTION_NOT_RUNNING` if the driver's process is
 * gone.
 */
export async function awaitEffect(
  store: Store,
  { action, execution_id, message_id }: Command,
  { isAlive, patienceSeconds, onWait }: WaitOptions,
): Promise<Outcome> {
  const soon = setTimeout(() => onWait?.(), soonMilliseconds);
  const isAwaited = () => isDriven(store, execution_id, isAlive);
  const state = await handled(store, message_id, patienceSeconds, isAwaited).finally(() => clearTimeout(soon));
  if (state === 'gone') throw nobodyDrives(execution_id);
  return state === 'late' ? { effect: 'pending' } : outcomeOf(action, state);
}

type Handled = Exclude<CommandState, 'waiting'>;

/** The state of a command once it is handled; `gone` if no process will handle it, `late` if the time has run out. */
async function handled({ sql }: Store, messageId: string, seconds: number, isAwaited = () => true) {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    // Checked first, since a driver that carries out a stop ends right afterwards.
    const wasAwaited = isAwaited();
    const state = commandState(sql, messageId);
    if (state !== 'waiting') return state;
    if (!wasAwaited) return 'gone';
    if (performance.now() > deadline) return 'late';
    await pause(lookMilliseconds);
  }
}

interface GiveOptions extends WaitOptions {
  /** Ends an execution that has no driver. */
  stopUndriven: (executionId: string) => Promise<Outcome>;
}

/**
 * Gives a command to the driver of an execution, and waits for its outcome. Throws `EXECUTION_NOT_FOUND`, and
 * `EXECUTION_NOT_RUNNING` if the execution has ended, or if it has no driver and the command is not a stop.
 */
export async function giveCommand(store: Store, executionId: string, asked: Asked, options: GiveOptions) {
  const { execution_id, status } = requireControllable(store.sql, executionId, asked.action);
  const isUndriven = status === 'running' && !isDriven(store, execution_id, options.isAlive);
  if (isUndriven && asked.action === 'stop') return options.stopUndriven(execution_id);
  if (isUndriven) throw nobodyDrives(execution_id);
  const command = await recordCommand(store, execution_id, asked);
  return command === undefined ? stopped : awaitEffect(store, command, options);
}

export const stopped: Outcome = { effect: 'already', reason: 'is already stopped' };

function outcomeOf(action: Action, state: Handled): Outcome {
  if (state.effect === 'applied') return state;
  const { code, reason } = state;
  const isAlready = code === 'ALREADY' || (action === 'stop' && code === 'EXECUTION_ENDED');
  return isAlready ? { effect: 'already', reason: reason.replace(/^the execution /, '') } : { effect: 'none', reason };
}

const nobodyDrives = (executionId: string) =>
  executionNotRunning(
    `the process that drove ${executionId} is gone; resume the execution with "swf-mcp resume ${executionId}", or end it with "swf-mcp stop ${executionId}"`,
  );

/** How long to wait for the recorder, in seconds: the recorder looks for requests every five seconds. */
const recorderSeconds = 15;

/**
 * Asks the live recorder to resume an execution without a driver, even after repeated failures. Throws
 * `EXECUTION_IN_USE` if the recorder cannot do so, or does not answer within 15 s (a `swf-mcp run` never
 * answers); the request is then withdrawn.
 */
export async function askRecorder(
  store: Store,
  executionId: string,
  { recorder, by, reason }: { recorder: ProcessSigns; by: Requester; reason: string | undefined },
) {
  const command = await recordCommand(store, executionId, { action: 'continue', by, reason });
  if (command === undefined) return;
  const who = `process ${recorder.pid} on ${recorder.hostname} is recording this namespace`;
  const state = await handled(store, command.message_id, recorderSeconds);
  if (state === 'late') {
    // The request must not take effect hours later.
    await store.write((tx) => noteRefused(tx, command.message_id, 'REFUSED', 'no recorder resumed it in time'));
    throw executionInUse(
      `${who}, but has not resumed ${executionId} within ${recorderSeconds} s; a recorder service resumes it when it can; a recorder inside a run does so when that run ends`,
    );
  }
  // Another person may have requested the same action.
  if (state !== 'gone' && state.effect !== 'applied' && state.code !== 'ALREADY')
    throw executionInUse(`${who}, but cannot resume ${executionId}: ${state.reason}`);
}
