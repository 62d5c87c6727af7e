import type { Counts } from '../../domain/counts.ts';
import type { Phase } from '../../domain/run-phases.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
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
    indexes: [
      ['sqlite_autoindex_workflow_executions_1', ['execution']],
      ['workflow_executions_status', ['status']],
    ],
    window: filter,
    page,
  });
}
