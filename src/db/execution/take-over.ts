import { SwfError } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import type { Message } from '../../messages/message.ts';
import { requireExecution } from '../lists/executions.ts';
import { refuseWaiting } from '../log/commands.ts';
import { registerAgent } from '../presence/agent-registry.ts';
import { type LivenessTest, ownerOf, registerProcess, takeOwnership } from '../presence/leases.ts';
import type { Store } from '../sqlite/store.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A process that works here, and the names of the agents that it hosts, by type. */
export interface Crew<AgentType extends string> {
  process_id: number;
  agents: Record<AgentType, string>;
}

export interface Entry<AgentType extends string> {
  identity: ProcessIdentity;
  user: string;
  namespace: string;
  agentTypes: readonly AgentType[];
}

/** An execution that this process drives. `epoch` proves it. */
export interface Drive {
  execution_id: string;
  run_number: number;
  namespace: string;
  epoch: number;
}

/** Enters a process and its agents into the store. */
export function enterProcess<T extends string>(tx: Transaction, entry: Entry<T>): Crew<T> {
  const { identity, user, namespace, agentTypes } = entry;
  const process_id = registerProcess(tx, identity);
  const names = agentTypes.map((type) => [type, registerAgent(tx, { type, user, namespace, process_id })] as const);
  return { process_id, agents: Object.fromEntries(names) as Record<T, string> };
}

/**
 * Starts an execution by its first message and makes this process its driver. Undefined where the command makes none: it has been taken
 * before, or contradicts one that has. Passes on the errors of `takeOver`.
 */
export function beginExecution(
  { messages }: Pick<Store, 'messages'>,
  tx: Transaction,
  command: Message<'run_workflow'>,
  processId: number,
  isAlive: LivenessTest,
): Drive | undefined {
  const recorded = messages.record(tx, command);
  if (!recorded.isNew || recorded.effect !== 'applied' || recorded.execution_id === undefined) return undefined;
  return takeOver(tx, recorded.execution_id, processId, { isAlive });
}

/**
 * Makes this process the driver of an execution.
 * @param follows the id of the one earlier command that it is to carry out; all others are refused
 * Throws `EXECUTION_NOT_RUNNING` if it has ended, `EXECUTION_IN_USE` while its driver lives.
 */
export function takeOver(
  tx: Transaction,
  executionId: string,
  processId: number,
  { isAlive, follows }: { isAlive: LivenessTest; follows?: string | undefined },
): Drive {
  const { sql } = tx;
  const { execution_id, run_number, namespace, status } = requireExecution(sql, executionId);
  if (status !== 'running') {
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `${execution_id} has ended (${status}); start a new one with "swf-mcp run"`,
    );
  }
  const before = ownerOf(sql, execution_id);
  const epoch = takeOwnership(tx, execution_id, processId, isAlive);
  // Taking an execution up lets it go on, whatever its last driver was asked and did not hear.
  refuseWaiting(tx, execution_id, {
    code: 'DRIVER_GONE',
    reason: 'the process that drove it was gone',
    except: follows,
  });
  // The agents of an earlier driver are gone with it.
  if (before !== undefined)
    sql(`UPDATE system_agents SET state = 'EXITED' WHERE process_id = ?`).run(before.process_id);
  sql('UPDATE system_agents SET current_execution_id = ? WHERE process_id = ?').run(execution_id, processId);
  return { execution_id, run_number, namespace, epoch };
}
