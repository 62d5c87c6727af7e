import { executionParamsSchema } from '../../domain/params.ts';
import type { Message } from '../../messages/vocabulary.ts';
import { isLandmark, isWaitingCommand } from '../lists/messages.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { applied, none, type Effect, type Projection } from './effect.ts';
import { abandonSlices } from './slices.ts';

/** `run_workflow` is the first row of its execution and makes it; its numbers are in its envelope by now. */
export function createExecution(message: Message<'run_workflow'>, at: string, sql: Prepare): Effect {
  const { execution_id, run_id } = message;
  if (execution_id === undefined || run_id === undefined || !/^\d{1,15}$/.test(run_id)) {
    return none('has no execution and run number');
  }
  const run = Number(run_id);
  const known = sql<[string, number], { n: number }>(
    'SELECT count(*) AS n FROM workflow_executions WHERE execution_id = ? OR run_number = ?',
  ).get(execution_id, run);
  if (known !== undefined && known.n > 0) return none(`execution ${execution_id} or run ${run_id} exists already`);
  const params = executionParamsSchema.safeParse({ ...message.params, speed: message.speed });
  if (!params.success) return none(`its parameters cannot be used: ${params.error.issues[0]?.path.join('.')}`);
  sql(
    `INSERT INTO workflow_executions (execution_id, workflow_name, namespace, status, executed_by, run_number, params, over_broker, start_time)
     VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?)`,
  ).run(
    execution_id,
    message.workflow_name,
    message.namespace,
    message.executed_by,
    run,
    JSON.stringify({ ...message.params, speed: message.speed }),
    isOverBroker(message.params) ? 1 : 0,
    at,
  );
  sql('INSERT INTO runs (run_number, execution_id) VALUES (?, ?)').run(run, execution_id);
  sql('INSERT INTO run_states (run_number, execution_id) VALUES (?, ?)').run(run, execution_id);
  return applied;
}

/** A command has its effect when the driver has taken it up, which the driver notes in the log with its step. */
export const command: Projection<'stop_workflow' | 'pause_workflow' | 'resume_workflow'> = () =>
  none('waits for the driver');

export const workflowEnded: Projection<'workflow_ended'> = (message, { scope, at, sql }) => {
  sql('UPDATE workflow_executions SET status = ?, status_reason = ?, end_time = ? WHERE execution_id = ?').run(
    message.status,
    message.reason,
    at,
    scope.execution_id,
  );
  if (message.status !== 'completed') abandonSlices(scope, sql);
  sql(
    `UPDATE runs SET dataset_state = 'final', end_time = coalesce(end_time, ?) WHERE run_number = ? AND dataset_state = 'open'`,
  ).run(at, scope.run_number);
  // What nobody has taken up by now is taken up by nobody.
  sql(
    `UPDATE workflow_messages SET effect_reason = 'the execution has ended' WHERE execution_id = ? AND ${isWaitingCommand}`,
  ).run(scope.execution_id);
  if (message.status === 'failed') {
    sql(
      `UPDATE stf_files SET status = 'failed' WHERE execution_id = ? AND status = 'registered' AND stf_filename IN (
         SELECT json_extract(payload, '$.filename') FROM workflow_messages
         WHERE execution_id = ? AND ${isLandmark} AND message_type = 'stop_workflow' AND effect = 'applied' AND json_valid(payload))`,
    ).run(scope.execution_id, scope.execution_id);
  }
  return applied;
};

/** The recorded configuration of an execution that runs over a broker names it. */
function isOverBroker({ broker }: Record<string, unknown>): boolean {
  return typeof broker === 'object' && broker !== null && 'url' in broker && typeof broker.url === 'string';
}
