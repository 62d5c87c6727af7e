import { randomUUID } from 'node:crypto';

import { SwfError } from '../errors.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { utcNow } from '../time.ts';
import type { Speed } from '../workflow/params.ts';
import { registerAgent } from './agents.ts';
import { requireExecution } from './executions.ts';
import type { HeldExecution } from './journal.ts';
import { type LivenessTest, registerProcess, takeOwnership } from './owners.ts';
import { createRecorder } from './record.ts';
import { preparer } from './statements.ts';
import type { Store } from './store.ts';

/** What a process holds when it drives an execution. */
export interface Drive<AgentType extends string> extends HeldExecution {
  process_id: number;
  /** The names of its agents, by type. */
  agents: Record<AgentType, string>;
}

/** Who wants to drive, and with which agents. */
export interface Driver<AgentType extends string> {
  identity: ProcessIdentity;
  isAlive: LivenessTest;
  user: string;
  agentTypes: readonly AgentType[];
}

export interface NewExecution {
  namespace: string;
  workflow_name: string;
  config?: string | undefined;
  params: Record<string, unknown>;
  speed: Speed;
}

/** Starts an execution: its first message, its numbers, its owner and its agents come to be in one transaction. */
export function beginExecution<T extends string>(
  store: Store,
  driver: Driver<T>,
  begin: NewExecution,
): Promise<Drive<T>> {
  return store.write(() => {
    const { namespace, workflow_name, config, params, speed } = begin;
    const recorded = createRecorder(store.db).record({
      msg_type: 'run_workflow',
      command_id: randomUUID(),
      sender: driver.user,
      namespace,
      workflow_name,
      ...(config === undefined ? {} : { config }),
      params,
      executed_by: driver.user,
      speed,
      timestamp: utcNow(),
    });
    if (recorded.effect !== 'applied' || recorded.execution_id === undefined) {
      throw new Error(`run_workflow had no effect: ${recorded.reason}`);
    }
    return hold(store, driver, recorded.execution_id);
  });
}

/**
 * Takes an interrupted execution over. Throws `EXECUTION_NOT_RUNNING` if it has ended, `EXECUTION_IN_USE` while its driver
 * lives.
 */
export function takeOverExecution<T extends string>(
  store: Store,
  driver: Driver<T>,
  executionId: string,
): Promise<Drive<T>> {
  return store.write(() => hold(store, driver, executionId));
}

function hold<T extends string>(store: Store, driver: Driver<T>, executionId: string): Drive<T> {
  const sql = preparer(store.db);
  const { execution_id, run_number, namespace, status } = requireExecution(sql, executionId);
  if (status !== 'running')
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `${execution_id} has ended (${status}); start a new one with "swf-mcp run"`,
    );
  const process_id = registerProcess(sql, driver.identity);
  const epoch = takeOwnership(sql, execution_id, process_id, driver.isAlive);
  // Agents of an earlier driver are gone with it.
  sql(`UPDATE system_agents SET state = 'EXITED' WHERE current_execution_id = ?`).run(execution_id);
  const names = driver.agentTypes.map((type) => {
    const name = registerAgent(store.db, sql, { type, user: driver.user, namespace, process_id, execution_id });
    return [type, name] as const;
  });
  return {
    execution_id,
    run_number,
    namespace,
    epoch,
    process_id,
    agents: Object.fromEntries(names) as Record<T, string>,
  };
}
