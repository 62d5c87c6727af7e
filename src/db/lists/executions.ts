import type { Counts } from '../../agents/ports.ts';
import type { Phase } from '../../domain/run-phases.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import type { Message } from '../../messages/vocabulary.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { executionOfRun } from './by-execution.ts';
import { isLandmark } from './messages.ts';
import { type ListPage, listRows, type Page } from './page.ts';

export interface ExecutionRow extends Counts {
  key: number;
  execution_id: string;
  workflow_name: string;
  namespace: string;
  status: ExecutionStatus;
  status_reason: string | null;
  phase: Phase;
  run_number: number;
  executed_by: string;
  start_time: string;
  end_time: string | null;
}

const countColumns =
  'stfs_announced AS stf_count, tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed';

const executionColumns = `seq AS key, e.execution_id, workflow_name, namespace, status, status_reason, phase, run_number,
  executed_by, start_time, end_time, ${countColumns}`;

const executionTables = 'workflow_executions AS e JOIN run_states USING (run_number)';

export function countsOf(sql: Prepare, runNumber: number): Counts {
  const row = sql<[number], Counts>(`SELECT ${countColumns} FROM run_states WHERE run_number = ?`).get(runNumber);
  if (row === undefined) throw new Error(`run ${runNumber} has no state`);
  return row;
}

export function findExecution(sql: Prepare, executionId: string): ExecutionRow | undefined {
  return sql<[string], ExecutionRow>(`SELECT ${executionColumns} FROM ${executionTables} WHERE e.execution_id = ?`).get(
    executionId,
  );
}

/** The execution that was recorded last. */
export function latestExecution(sql: Prepare): ExecutionRow | undefined {
  return sql<[], ExecutionRow>(`SELECT ${executionColumns} FROM ${executionTables} ORDER BY seq DESC LIMIT 1`).get();
}

/** An execution by its id, or the last one by the name `latest`. Throws `EXECUTION_NOT_FOUND` with the ids that come near. */
export function requireExecution(sql: Prepare, executionId: string): ExecutionRow {
  const found = executionId === 'latest' ? latestExecution(sql) : findExecution(sql, executionId);
  if (found !== undefined) return found;
  const known = recentExecutionIds(sql);
  if (known.length === 0)
    throw new SwfError('EXECUTION_NOT_FOUND', 'there is no execution in this store yet; "swf-mcp run" makes one');
  const ofRun = /^\d{1,15}$/.test(executionId) ? executionOfRun(sql, Number(executionId)) : undefined;
  if (ofRun !== undefined)
    throw new SwfError('EXECUTION_NOT_FOUND', `${executionId} is a run; its execution is ${ofRun}: give that`);
  const near = nearest(executionId, known);
  throw new SwfError(
    'EXECUTION_NOT_FOUND',
    `there is no execution ${JSON.stringify(executionId)}; near it: ${near.join(', ')}; "latest" is the last one, list_workflow_executions lists all`,
  );
}

/** The namespaces of executions. */
export function namespacesOf(sql: Prepare): string[] {
  return sql<[], { namespace: string }>('SELECT DISTINCT namespace FROM workflow_executions ORDER BY namespace')
    .all()
    .map((row) => row.namespace);
}

/** The newest executions. */
export function recentExecutionIds(sql: Prepare): string[] {
  return sql<[], { execution_id: string }>('SELECT execution_id FROM workflow_executions ORDER BY seq DESC LIMIT 1000')
    .all()
    .map((row) => row.execution_id);
}

export function runExists(sql: Prepare, runNumber: number): boolean {
  return sql<[number]>('SELECT 1 FROM runs WHERE run_number = ?').get(runNumber) !== undefined;
}

/** The newest run numbers, for an error that names what there is. */
export function recentRunNumbers(sql: Prepare): number[] {
  return sql<[], { run_number: number }>('SELECT run_number FROM workflow_executions ORDER BY seq DESC LIMIT 5')
    .all()
    .map((row) => row.run_number);
}

export interface ExecutionFilter {
  namespace?: string | undefined;
  status?: string | undefined;
  executed_by?: string | undefined;
  workflow_name?: string | undefined;
  execution_id?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

export function listExecutions(sql: Prepare, filter: ExecutionFilter, page: Page): ListPage<ExecutionRow> {
  return listRows<ExecutionRow>(sql, {
    select: executionColumns,
    from: 'workflow_executions AS e',
    join: 'JOIN run_states USING (run_number)',
    key: 'seq',
    time: 'start_time',
    conditions: {
      execution: ['e.execution_id = ?', filter.execution_id],
      namespace: ['namespace = ?', filter.namespace],
      status: ['status = ?', filter.status],
      user: ['executed_by = ?', filter.executed_by],
      workflow: ['workflow_name = ?', filter.workflow_name],
    },
    paths: [
      ['sqlite_autoindex_workflow_executions_1', ['execution']],
      ['workflow_executions_status', ['status']],
    ],
    window: filter,
    page,
  });
}

/** The running executions of a namespace whose agents may be in several processes. */
export function runningOverBroker(sql: Prepare, namespace: string): string[] {
  return sql<[string], { execution_id: string }>(
    `SELECT execution_id FROM workflow_executions WHERE status = 'running' AND over_broker AND namespace = ? ORDER BY seq`,
  )
    .all(namespace)
    .map((row) => row.execution_id);
}

/** What the monitor reports beside the execution's own row. */
export interface ExecutionDetail {
  params: unknown;
  stfs_ready: number;
  samples_expected: number;
  slices_expected: number;
  slices_exhausted: number;
  slice_retries: number;
  dataset_name: string | null;
  dataset_state: 'open' | 'final' | null;
  dataset_files: number;
  dataset_bytes: number;
  last_tick: number | null;
  phase_changed_at: string | null;
  /** 1 where agents of other processes may work on it. */
  over_broker: number;
}

export function executionDetail(sql: Prepare, { execution_id, run_number }: ExecutionRow): ExecutionDetail {
  const row = sql<[number], Omit<ExecutionDetail, 'params' | 'last_tick'> & { params: string }>(
    `SELECT params, phase_changed_at, over_broker, stfs_ready, samples_expected, slices_expected, slices_exhausted, slice_retries,
       dataset_name, dataset_state, dataset_files, dataset_bytes
     FROM workflow_executions AS e JOIN run_states USING (run_number) JOIN runs USING (run_number) WHERE run_number = ?`,
  ).get(run_number);
  if (row === undefined) throw new Error(`${execution_id} has no run`);
  return { ...row, params: JSON.parse(row.params), last_tick: lastTick(sql, execution_id) ?? null };
}

/**
 * The simulated time that an execution has come to. Steps of agents may be recorded a little out of the order of their
 * ticks, so the last few rows are looked at, not only the last.
 */
export function lastTick(sql: Prepare, executionId: string): number | undefined {
  const row = sql<[string], { tick: number | null }>(
    `SELECT max(json_extract(payload, '$.simulation_tick')) AS tick FROM (
       SELECT payload FROM workflow_messages
       WHERE execution_id = ? AND effect = 'applied' ORDER BY seq DESC LIMIT 64) WHERE json_valid(payload)`,
  ).get(executionId);
  return row?.tick ?? undefined;
}

/** The message that began an execution, with its whole configuration. */
export function startMessage(sql: Prepare, executionId: string): Message<'run_workflow'> {
  const row = sql<[string], { payload: string }>(
    `SELECT payload FROM workflow_messages
     WHERE execution_id = ? AND ${isLandmark} AND message_type = 'run_workflow' AND effect = 'applied' ORDER BY seq LIMIT 1`,
  ).get(executionId);
  if (row === undefined)
    throw new SwfError(
      'EXECUTION_NOT_RUNNING',
      `${executionId} was not started from this store and cannot be resumed here`,
    );
  return JSON.parse(row.payload) as Message<'run_workflow'>;
}
