import { type ExecutionRow, executionColumns } from '../execution/find-execution.ts';
import { lastSignOf } from '../presence/last-sign.ts';
import { interruptedExecutions, type LivenessTest } from '../presence/leases.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { listRows } from './list-rows.ts';
import type { ListPage, Page, Window } from './page.ts';

/** An execution as a list shows it. */
export type ListedExecution = ExecutionRow & {
  retries: number;
  /** Of its STF files. */
  bytes: number;
  /** As it was started: a number, or `max`. */
  /** Null where the recorded parameters are damaged. */
  speed: string | number | null;
};

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
    join: 'JOIN run_states USING (execution_id) JOIN (SELECT execution_id, dataset_bytes FROM runs) USING (execution_id)',
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
