import type { Speed } from '../../domain/params.ts';
import { executionInUse, executionNotRunning } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { steadyClock, utcNow } from '../../lib/time.ts';
import type { Draft, Message } from '../../messages/message.ts';
import { requireExecution, requireOwn } from '../execution/find-execution.ts';
import { driverEnd } from '../execution/log-reader.ts';
import { executionParams } from '../execution/params.ts';
import { isHeld, refuseWaiting } from '../log/commands.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Store } from '../opening/store.ts';
import { noteLost, registerAgent } from '../presence/agent-registry.ts';
import {
  isProcessAlive,
  lastSignOf,
  type LivenessTest,
  ownerOf,
  registerProcess,
  takeOwnership,
} from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { HeldExecution } from './journal.ts';

/** A process registered in the store, and the names of the agents that it hosts, by type. */
export interface ProcessAgents<AgentType extends string> {
  process_id: number;
  agents: Record<AgentType, string>;
}

interface Entry<AgentType extends string> {
  identity: ProcessIdentity;
  version: string;
  user: string;
  namespace: string;
  agentTypes: readonly AgentType[];
}

/** An execution that this process drives; `epoch` proves that it is the driver. */
export type Drive = Required<Omit<HeldExecution, 'isOverBroker'>>;

export function enterProcess<T extends string>(tx: Transaction, entry: Entry<T>): ProcessAgents<T> {
  const { identity, version, user, namespace, agentTypes } = entry;
  const process_id = registerProcess(tx, identity, version);
  const names = agentTypes.map((type) => [type, registerAgent(tx, { type, user, namespace, process_id })] as const);
  return { process_id, agents: Object.fromEntries(names) as Record<T, string> };
}

/** The process that becomes the driver, as it describes itself. */
interface Driver {
  process_id: number;
  identity: ProcessIdentity;
  /** The agent in whose name the driver sends messages: the DAQ simulator. */
  name: string;
  user: string;
  version: string;
  /** Defaults to the recorded speed. */
  speed?: Speed | undefined;
  isOverBroker: boolean;
  /** The claimed name of the person who requested the takeover, and the reason. */
  claimedBy?: string | undefined;
  reason?: string | undefined;
}

/**
 * Starts an execution with its first message, and makes this process its driver. Returns undefined if the
 * command starts no execution, because it is already recorded or contradicts a recorded one. Throws the errors
 * of `takeOver`.
 */
export function beginExecution(
  store: Pick<Store, 'messages'>,
  tx: Transaction,
  command: Message<'run_workflow'>,
  driver: Driver,
  isAlive: LivenessTest,
): Drive | undefined {
  const recorded = store.messages.record(tx, command);
  if (!recorded.isNew || recorded.effect !== 'applied' || recorded.execution_id === null) return undefined;
  return takeOver(store, tx, recorded.execution_id, driver, { isAlive });
}

/**
 * Makes this process the driver of an execution, and records that. Throws `EXECUTION_NOT_RUNNING` if the
 * execution has ended, and `EXECUTION_IN_USE` while its driver is alive.
 * @param follows the id of the one earlier command that this takeover carries out; all other waiting commands
 * are refused
 */
export function takeOver(
  { messages }: Pick<Store, 'messages'>,
  tx: Transaction,
  executionId: string,
  driver: Driver,
  { isAlive, follows }: { isAlive: LivenessTest; follows?: string | undefined },
): Drive {
  const { sql } = tx;
  const execution = requireOwn(requireExecution(sql, executionId), 'be resumed');
  const { execution_id, run_number, namespace, status } = execution;
  const { process_id, user, version, claimedBy: claimed_by, reason } = driver;
  const { pid, hostname } = driver.identity;
  if (status !== 'running')
    throw executionNotRunning(`${execution_id} has ended (${status}); start a new one with "swf-mcp run"`);
  const before = ownerOf(sql, execution_id);
  const other = before?.process_id === process_id ? undefined : before;
  if (other !== undefined && isProcessAlive(other, isAlive) && isHeld(sql, execution_id))
    throw executionInUse(
      `${execution_id} is paused, and process ${other.pid} on ${other.hostname} drives it; continue it with "swf-mcp continue ${execution_id}"`,
    );
  const epoch = takeOwnership(tx, execution_id, process_id, isAlive);
  goOnWithClock(tx, execution_id);
  // A takeover resumes the execution, regardless of commands that the last driver missed.
  const gone = { code: 'DRIVER_GONE', reason: 'the process that drove it was gone' } as const;
  refuseWaiting(tx, execution_id, { ...gone, except: follows });
  if (other !== undefined) noteLost(tx, other.process_id);
  sql('UPDATE system_agents SET current_execution_id = ? WHERE process_id = ?').run(execution_id, process_id);
  const speed = driver.speed ?? executionParams(sql, execution).speed;
  const self = { pid, hostname, user, version, claimed_by, reason };
  const started: Draft = { msg_type: 'driver_started', epoch, ...self, speed };
  const envelope = { sender: driver.name, namespace, execution_id, run_id: String(run_number), timestamp: utcNow() };
  for (const draft of [...lossOf(sql, execution_id, before), started])
    messages.record(tx, { ...draft, ...envelope }, { goesOut: driver.isOverBroker });
  return { execution_id, run_number, namespace, epoch };
}

/**
 * A recorded time further ahead than this, in milliseconds, came from a wrong clock, so time does not continue
 * from it.
 */
const maxAhead = 86_400_000;

/** Prevents times from running backward under a new driver, whose clock may have been set back. */
function goOnWithClock({ sql }: Transaction, executionId: string) {
  const newest = sql<number>(
    `SELECT recorded_ms FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  ).value(executionId);
  const clock = steadyClock();
  if (newest !== undefined && newest - clock.now() < maxAhead) clock.catchUp(newest);
}

/** The message about the loss of the previous driver, unless that driver reported its end. */
function lossOf(sql: Prepare, executionId: string, before: ReturnType<typeof ownerOf>): Draft[] {
  if (before === undefined || driverEnd(sql, executionId, before.epoch) !== undefined) return [];
  const { at, by } = lastSignOf(sql, before);
  return [{ msg_type: 'driver_lost', epoch: before.epoch, last_sign: at, last_sign_by: by }];
}
