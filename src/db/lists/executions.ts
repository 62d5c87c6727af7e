import type { Counts } from '../../domain/counts.ts';
import type { Phase } from '../../domain/run-phases.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { lastSignOf } from '../presence/last-sign.ts';
import { interruptedExecutions, type LivenessTest } from '../presence/leases.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { executionOfRun } from './by-execution.ts';
import { recentExecutionIds } from './known-names.ts';
import { listRows } from './list-rows.ts';
import type { ListPage, Page, Window } from './page.ts';

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

/** An execution as a list shows it. */
export interface ListedExecution extends ExecutionRow {
  retries: number;
  /** Of its STF files. */
  bytes: number;
  /** As it was started: a number, or `max`. */
  speed: string | number;
}

const countColumns =
  'stfs_announced AS stf_count, tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed';

const executionColumns = `seq AS key, e.execution_id, workflow_name, namespace, status, status_reason, phase, run_number,
  executed_by, start_time, end_time, ${countColumns}`;

const executionTables = 'workflow_executions AS e JOIN run_states USING (run_number)';

/** Throws an `Error` for a run that is not there. */
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
function latestExecution(sql: Prepare): ExecutionRow | undefined {
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

export interface ExecutionFilter extends Window {
  namespace?: string | undefined;
  status?: string | undefined;
  executed_by?: string | undefined;
  workflow_name?: string | undefined;
  execution_id?: string | undefined;
}

/** Executions are found by the overlap of their life with the window. @param isAlive tells which of those that run are driven */
export function listExecutions(
  sql: Prepare,
  filter: ExecutionFilter,
  page: Page,
  isAlive: LivenessTest,
): ListPage<ListedExecution> {
  const { start_time, end_time } = filter;
  return listRows<ListedExecution>(sql, {
    select: `${executionColumns}, slice_retries AS retries, dataset_bytes AS bytes, ${jsonField('params', 'speed')} AS speed`,
    from: 'workflow_executions AS e',
    join: 'JOIN run_states USING (run_number) JOIN (SELECT run_number, dataset_bytes FROM runs) USING (run_number)',
    key: 'seq',
    time: 'e.start_time',
    conditions: {
      execution: ['e.execution_id = ?', filter.execution_id],
      namespace: ['namespace = ?', filter.namespace],
      status: ['status = ?', filter.status],
      user: ['executed_by = ?', filter.executed_by],
      workflow: ['workflow_name = ?', filter.workflow_name],
      'begun by': ['e.start_time <= ?', end_time],
      'not ended before': [`coalesce(e.end_time, '9999') >= ?`, start_time],
      // An execution whose driver is gone has no end yet, and lives no more.
      'not dead before': [
        'e.execution_id NOT IN (SELECT value FROM json_each(?))',
        start_time === undefined ? undefined : JSON.stringify(deadBefore(sql, start_time, isAlive)),
      ],
    },
    indexes: [
      ['sqlite_autoindex_workflow_executions_1', ['execution']],
      ['workflow_executions_status', ['status']],
    ],
    window: {},
    page,
  });
}

/** Running executions whose driver gave its last sign of life before a time. */
function deadBefore(sql: Prepare, time: string, isAlive: LivenessTest): string[] {
  return interruptedExecutions(sql, undefined, isAlive)
    .filter((one) => lastSignOf(sql, one).at < time)
    .map(({ execution_id }) => execution_id);
}
