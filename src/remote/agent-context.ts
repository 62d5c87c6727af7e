import type { AgentContext } from '../agents/agent.ts';
import type { ExecutionParams } from '../domain/params.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

/** A host's own parameters: where files are, and what workers do. */
export type OwnParams = Pick<ExecutionParams, 'data' | 'worker'>;

/** An execution as its recorder reports it, for an agent on this host. */
export function contextOf(
  state: ExecutionState,
  own: OwnParams,
  files: AgentContext['files'],
): Omit<AgentContext, 'log'> {
  const { workflow_params, plan_version, max_retries, execution_id, run_id } = state;
  const params: ExecutionParams = {
    ...workflow_params,
    plan_version,
    data: own.data,
    worker: { ...own.worker, max_retries },
  };
  return { execution_id, run_number: Number(run_id), params, files, message: () => undefined };
}
