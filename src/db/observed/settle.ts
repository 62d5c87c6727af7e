import type { ExecutionStatus } from '../../domain/states.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import type { Moment } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { heardRunColumns, type HeardRun, heardTimeOf } from './hearings.ts';

/** A run that reported its end is complete after this long without messages. Milliseconds. */
const quietMilliseconds = 60_000;

/** The columns of an observed execution that depend on when observers were listening. Times are ISO 8601. */
type Standing = Pick<ExecutionRow, 'status' | 'status_reason' | 'end_time'>;

type OpenRun = HeardRun & { status: ExecutionStatus; phase: string; is_told: number };

/** As SQL: the start of a query for observed executions. @param index the index that SQLite is to use */
const openRun = (index = '') => `SELECT ${heardRunColumns}, status, phase, told_status IS NOT NULL AS is_told
  FROM workflow_executions AS e ${index} JOIN run_states USING (execution_id) JOIN observed_runs AS o USING (execution_id)`;

/** The observed executions without a known end, by their stored status. */
const openRuns = (sql: Prepare, ...statuses: ('running' | 'unknown')[]) =>
  statuses.flatMap((status) =>
    sql<OpenRun>(`${openRun('INDEXED BY workflow_executions_status')} WHERE status = ?`).all(status),
  );

const completed = ({ last }: OpenRun): Standing => ({
  status: 'completed',
  status_reason: 'completed',
  end_time: new Date(last).toISOString(),
});

/**
 * The status, at a moment, of an execution without a known end; undefined while it runs or may still run. Once
 * observation has ended, an execution whose end was announced counts as completed, with or without all results;
 * the status of any other is unknown.
 */
function standingAt(sql: Prepare, run: OpenRun, moment: Moment): Standing | undefined {
  const { until, isListening, isObserved } = heardTimeOf(sql, run, moment);
  // An observer that has temporarily lost its broker still counts as observing.
  if (isObserved) {
    const isOver = isListening && run.is_done === 1 && run.is_told === 0 && until - run.last >= quietMilliseconds;
    return isOver ? completed(run) : undefined;
  }
  if (run.phase === 'completed') return completed(run);
  return { status: 'unknown', status_reason: `not heard since ${new Date(until).toISOString()}`, end_time: null };
}

/**
 * Records which observed executions have ended. While an observer is alive, an execution has ended once its end
 * has been announced, every slice has a result and a further minute of observation has passed. Once no observer
 * is alive, all others are settled too: as completed if their end was announced, otherwise as unknown. Later
 * messages still count.
 */
export function settleObserved(tx: Transaction, moment: Moment) {
  const { sql } = tx;
  tx.settle();
  for (const run of openRuns(sql, 'running', 'unknown')) {
    const standing = standingAt(sql, run, moment);
    // Only a message can show that an execution of unknown status is still running.
    if (standing === undefined) continue;
    sql(
      'UPDATE workflow_executions SET status = $status, status_reason = $status_reason, end_time = $end_time WHERE execution_id = $execution_id',
    ).run({ ...standing, execution_id: run.execution_id });
  }
}

const standingColumns: ReadonlySet<string> = new Set<keyof Standing>(['status', 'status_reason', 'end_time']);

/**
 * As SQL: whether a column of a row depends on when observers were listening, not only on messages.
 * @param origin of the execution
 */
export const isSettled = (table: string, column: string, origin: string) =>
  table === 'workflow_executions' && standingColumns.has(column) ? `${origin} = 'observed'` : 'FALSE';

/**
 * Reopens an execution that was recorded as ended or no longer heard from, since that status depends on the
 * moment asked about.
 */
export function reopenSettled(sql: Prepare, executionId: string) {
  sql(
    `UPDATE workflow_executions SET status = 'running', status_reason = NULL, end_time = NULL
     WHERE execution_id = ? AND (status = 'unknown' OR status = 'completed'
       AND execution_id IN (SELECT execution_id FROM observed_runs WHERE told_status IS NULL))`,
  ).run(executionId);
}

/**
 * An execution with its status at a moment. It may be stored as running although it is no longer heard from: an
 * observer that was killed could not record the change.
 */
export function asItStands<Row extends ExecutionRow>(sql: Prepare, row: Row, moment: Moment) {
  if (row.status !== 'running') return row;
  const run = sql<OpenRun>(`${openRun()} WHERE execution_id = ?`).get(row.execution_id);
  return { ...row, ...(run && standingAt(sql, run, moment)) };
}

/**
 * Executions without a recorded end that were not active at a time or later: their observation had ended. Under a
 * later observer, an execution of unknown status becomes active again only with a message.
 * @param time ISO 8601
 */
export const unheardSince = (sql: Prepare, time: string, moment: Moment) =>
  openRuns(sql, 'running', 'unknown').filter((run) => {
    const at = Date.parse(time);
    if (run.last >= at) return false;
    const { until, isObserved } = heardTimeOf(sql, run, moment);
    return isObserved ? run.status === 'unknown' : run.phase === 'completed' || until < at;
  });

/**
 * Executions that are stored as running but no longer heard from, with their current status: an observer that
 * was killed could not record the change.
 */
export const unheardExecutions = (sql: Prepare, moment: Moment): ReadonlyMap<string, Standing> =>
  new Map(
    openRuns(sql, 'running').flatMap((run) => {
      const standing = standingAt(sql, run, moment);
      return standing === undefined ? [] : [[run.execution_id, standing] as const];
    }),
  );
