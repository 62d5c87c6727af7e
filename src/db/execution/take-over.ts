import { SwfError } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import type { Message } from '../../messages/vocabulary.ts';
import { requireExecution } from '../lists/executions.ts';
import { isWaitingCommand } from '../lists/messages.ts';
import { createRecorder } from '../log/message-writer.ts';
import { registerAgent } from '../presence/agent-registry.ts';
import { type LivenessTest, ownerOf, registerProcess, takeOwnership } from '../presence/leases.ts';
import type { Store } from '../sqlite/open-store.ts';
import { preparer } from '../sqlite/statements.ts';

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

/** An execution that this process drives; `epoch` proves it. */
export interface Drive {
  execution_id: string;
  run_number: number;
  namespace: string;
  epoch: number;
}

/** Enters a process and its agents. Inside a transaction only. */
export function enter<T extends string>(store: Store, { identity, user, namespace, agentTypes }: Entry<T>): Crew<T> {
  const sql = preparer(store.db);
  const process_id = registerProcess(sql, identity);
  const names = agentTypes.map(
    (type) => [type, registerAgent(store.db, sql, { type, user, namespace, process_id })] as const,
  );
  return { process_id, agents: Object.fromEntries(names) as Record<T, string> };
}

/**
 * Starts an execution by its first message and makes this process its driver. Inside a transaction only.
 * Undefined where the command makes none: it has been taken before, or contradicts one that has.
 */
export function begin(
  store: Store,
  command: Message<'run_workflow'>,
  processId: number,
  isAlive: LivenessTest,
): Drive | undefined {
  const recorded = createRecorder(store.db).record(command);
  if (!recorded.isNew || recorded.effect !== 'applied' || recorded.execution_id === undefined) return undefined;
  return takeOver(store, recorded.execution_id, processId, { isAlive });
}

/**
 * Makes this process the driver of an execution. Inside a transaction only.
 * @param heeds the id of the one earlier command that it is to follow
 * Throws `EXECUTION_NOT_RUNNING` if it has ended, `EXECUTION_IN_USE` while its driver lives.
 */
export function takeOver(
  store: Store,
  executionId: string,
  processId: number,
  { isAlive, heeds }: { isAlive: LivenessTest; heeds?: string | undefined },
): Drive {
  const sql = preparer(store.db);
  const { execution_id, run_number, namespace, status } = requireExecution(sql, executionId);
  if (status !== 'running') {
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `${execution_id} has ended (${status}); start a new one with "swf-mcp run"`,
    );
  }
  const before = ownerOf(sql, execution_id);
  const epoch = takeOwnership(sql, execution_id, processId, isAlive);
  // Whoever takes an execution up wants it to go on, whatever its last driver was asked and did not hear.
  sql(
    `UPDATE workflow_messages SET effect_reason = 'the process that drove it was gone'
     WHERE execution_id = ? AND ${isWaitingCommand} AND message_id <> ?`,
  ).run(execution_id, heeds ?? '');
  // The agents of an earlier driver are gone with it.
  if (before !== undefined)
    sql(`UPDATE system_agents SET state = 'EXITED' WHERE process_id = ?`).run(before.process_id);
  sql('UPDATE system_agents SET current_execution_id = ? WHERE process_id = ?').run(execution_id, processId);
  return { execution_id, run_number, namespace, epoch };
}
