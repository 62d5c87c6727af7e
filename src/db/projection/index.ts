import { executionParamsSchema, type ExecutionParams } from '../../domain/params.ts';
import type { Message, MessageType } from '../../messages/vocabulary.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { none, type Effect, type Projection, type Scope } from './effect.ts';
import { command, createExecution, workflowEnded } from './execution.ts';
import { stfGen, stfReady, tfFileRegistered } from './files.ts';
import { endRun, pauseRun, resumeRun, runImminent, startRun } from './run-phases.ts';
import { slice, sliceResult, sliceStarted } from './slices.ts';

/**
 * The reading of the log: one function a message type. A type that is missing here does not compile.
 * `run_workflow` stands apart because it makes the execution that the others belong to.
 */
const projections: { [T in Exclude<MessageType, 'run_workflow'>]: Projection<T> } = {
  run_imminent: runImminent,
  start_run: startRun,
  stf_gen: stfGen,
  pause_run: pauseRun,
  resume_run: resumeRun,
  end_run: endRun,
  stf_ready: stfReady,
  tf_file_registered: tfFileRegistered,
  slice,
  slice_started: sliceStarted,
  slice_result: sliceResult,
  stop_workflow: command,
  pause_workflow: command,
  resume_workflow: command,
  workflow_ended: workflowEnded,
};

interface ExecutionRow {
  seq: number;
  start_time: string;
  namespace: string;
  status: string;
  run_number: number;
}

export type Project = (message: Message, at: string) => Effect;

/**
 * The projection on one connection. It is called inside the transaction that records the message.
 * @param transaction tells one write transaction from another; undefined where nobody does
 */
export function createProjection(sql: Prepare, transaction: () => number | undefined): Project {
  // An execution's parameters never change; reading them out of JSON for each message would be most of the work.
  const known = new Map<string, { made: string; params: ExecutionParams }>();

  // A step says many things about one execution.
  let latest: { transaction: number; execution_id: string; row: ExecutionRow | undefined } | undefined;
  const executionRow = (execution_id: string): ExecutionRow | undefined => {
    const current = transaction();
    if (current !== undefined && latest?.transaction === current && latest.execution_id === execution_id)
      return latest.row;
    const row = sql<[string], ExecutionRow>(
      'SELECT seq, namespace, status, run_number, start_time FROM workflow_executions WHERE execution_id = ?',
    ).get(execution_id);
    latest = current === undefined ? undefined : { transaction: current, execution_id, row };
    return row;
  };

  const paramsOf = ({ seq, start_time, run_number }: ExecutionRow, execution_id: string): ExecutionParams => {
    // A transaction that was rolled back may have left the parameters of another execution under this id.
    const made = `${seq}/${run_number}/${start_time}`;
    const entry = known.get(execution_id);
    if (entry?.made === made) return entry.params;
    const row = sql<[string], { params: string }>('SELECT params FROM workflow_executions WHERE execution_id = ?').get(
      execution_id,
    );
    const params = executionParamsSchema.parse(JSON.parse(row?.params ?? '{}'));
    known.set(execution_id, { made, params });
    return params;
  };

  const scopeOf = (message: Message): Scope | Effect => {
    const { execution_id, run_id } = message;
    if (execution_id === undefined) return none('names no execution');
    const row = executionRow(execution_id);
    if (row === undefined) return none(`unknown execution ${execution_id}`);
    if (row.status !== 'running') return none(`the execution has ended (${row.status})`);
    if (run_id !== undefined && run_id !== String(row.run_number)) {
      return none(`run ${run_id} is not run ${row.run_number} of ${execution_id}`);
    }
    if (row.namespace !== message.namespace) return none(`${execution_id} is in namespace ${row.namespace}`);
    return { execution_id, run_number: row.run_number, params: paramsOf(row, execution_id) };
  };

  return (message, at) => {
    if (message.msg_type === 'run_workflow') {
      known.delete(message.execution_id ?? '');
      latest = undefined;
      return createExecution(message, at, sql);
    }
    const scope = scopeOf(message);
    if ('effect' in scope) return scope;
    if (message.msg_type === 'workflow_ended') {
      known.delete(scope.execution_id);
      latest = undefined;
    }
    return (projections[message.msg_type] as Projection<MessageType>)(message, { scope, at, sql });
  };
}
