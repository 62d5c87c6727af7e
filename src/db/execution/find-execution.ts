import type { Counts } from '../../domain/counts.ts';
import type { Phase } from '../../domain/run-phases.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import { promptProcessing } from '../../domain/workflows.ts';
import { counted } from '../../lib/counted.ts';
import { argumentInvalid, SwfError } from '../../lib/errors.ts';
import { asItWas } from '../../lib/printable.ts';
import { nearest } from '../../lib/suggest.ts';
import { removalOf, removalWords } from '../log/removals.ts';
import { isExecution } from '../log/rows.ts';
import { failedStfs, stfCount } from '../migrations/documented-views.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

interface AnyExecution extends Counts {
  key: number;
  execution_id: string;
  namespace: string;
  status: ExecutionStatus;
  status_reason: string | null;
  phase: Phase;
  start_time: string;
  end_time: string | null;
  /** STF files that failed at a site. */
  stf_failed: number;
  /**
   * 1 if it is of prompt processing, and nothing about it was reported over REST: the bus does not show how
   * its files are processed.
   */
  processing_unheard: number;
}

/** An execution that swf-mcp ran: its plan is known. */
export interface OwnExecution extends AnyExecution {
  origin: 'own';
  workflow_name: string;
  run_number: number;
  executed_by: string;
}

/** An execution of other programs. Unreported facts are null, an unreported namespace empty. */
interface ObservedExecution extends AnyExecution {
  origin: 'observed';
  workflow_name: string | null;
  run_number: number | null;
  executed_by: string | null;
}

/** An execution with its counts. Times are ISO 8601. */
export type ExecutionRow = OwnExecution | ObservedExecution;

/** The execution, if this store has its plan and drives it; undefined for executions of other programs. */
export const withPlan = (execution: ExecutionRow) => (execution.origin === 'own' ? execution : undefined);

/** Throws `ARGUMENT_INVALID` for an execution of our own. */
export function requireObserved(execution: ExecutionRow): ObservedExecution {
  if (execution.origin === 'observed') return execution;
  throw argumentInvalid(
    `${execution.execution_id} was run by swf-mcp, whose messages are specified in docs/messages.md; name an observed execution`,
  );
}

/**
 * Throws `ARGUMENT_INVALID` for an execution of other programs.
 * @param purpose what cannot be done to it, such as `be resumed`
 */
export function requireOwn(execution: ExecutionRow, purpose: string): OwnExecution {
  const planned = withPlan(execution);
  if (planned !== undefined) return planned;
  throw argumentInvalid(
    `${execution.execution_id} is observed: other programs run it, so it cannot ${purpose} here; get_workflow_monitor shows what was recorded about it`,
  );
}

/**
 * A text that changes with each message and log line of an own execution that has ended, since nothing else can change what
 * is recorded about it; undefined for any other execution.
 */
export const markAtRest = (sql: Prepare, executionId: string) =>
  sql<string>(
    `SELECT concat_ws('/', (SELECT max(seq) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('$id')}),
       (SELECT max(log_id) FROM app_logs INDEXED BY app_logs_execution WHERE execution_id = $id))
     FROM workflow_executions WHERE execution_id = $id AND origin = 'own' AND status <> 'running'`,
  ).value({ id: executionId });

const statedStfs = '(SELECT total_stf_files FROM runs WHERE runs.execution_id = e.execution_id)';

const countColumns =
  'tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed';

/** The types of what programs report over REST about a run. */
const toldTypes = ['execution_registered', 'run_registered', 'data_run_opened', 'stf_registered', 'stf_status'];

const unheard = `(origin = 'observed' AND workflow_name IS '${promptProcessing}' AND NOT EXISTS (SELECT 1 FROM message_rows INDEXED BY message_rows_type
  WHERE execution_no = ${numberOf('e.execution_id')} AND type_no IN ${typeNumbers(toldTypes)})) AS processing_unheard`;

/** As SQL: the columns of an `ExecutionRow`, from `workflow_executions AS e` and `run_states`. */
export const executionColumns = `seq AS key, e.execution_id, origin, workflow_name, namespace, status, status_reason, phase, run_number,
  executed_by, start_time, end_time, ${stfCount(statedStfs)} AS stf_count, ${countColumns}, ${failedStfs} AS stf_failed, ${unheard}`;

/** Throws an `Error` if the execution does not exist. */
export function countsOf(sql: Prepare, executionId: string): Counts {
  const row = sql<Counts>(
    `SELECT stfs_announced AS stf_count, ${countColumns} FROM run_states WHERE execution_id = ?`,
  ).get(executionId);
  if (row === undefined) throw new Error(`the run of ${executionId} has no state`);
  return row;
}

/**
 * An execution by its id, or the last one for `latest`. Throws `EXECUTION_NOT_FOUND` with similar ids,
 * `EXECUTION_REMOVED` if it was removed.
 */
export function requireExecution(sql: Prepare, executionId: string): ExecutionRow {
  const [which, values] =
    executionId === 'latest' ? ['ORDER BY seq DESC LIMIT 1', []] : ['WHERE e.execution_id = ?', [executionId]];
  const found = sql<ExecutionRow>(
    `SELECT ${executionColumns} FROM workflow_executions AS e JOIN run_states USING (execution_id) ${which}`,
  ).get(...values);
  if (found !== undefined) return found;
  // Answers show an id with its hidden characters escaped.
  const unescaped = asItWas(executionId);
  if (unescaped !== executionId && isExecution(sql, unescaped)) return requireExecution(sql, unescaped);
  const removal = removalOf(sql, executionId);
  if (removal !== undefined)
    throw new SwfError(
      'EXECUTION_REMOVED',
      `${executionId} was removed${removalWords(removal)}, with everything recorded about it; list_workflow_executions lists the others`,
    );
  const known = recentExecutionIds(sql);
  if (known.length === 0)
    throw new SwfError('EXECUTION_NOT_FOUND', `there is no execution in this store yet; ${firstWords(sql)}`);
  const ofRun = /^\d{1,15}$/.test(executionId) ? executionOfRun(sql, Number(executionId)) : undefined;
  if (ofRun !== undefined)
    throw new SwfError('EXECUTION_NOT_FOUND', `${executionId} is a run number; use its execution id, ${ofRun}`);
  const near = nearest(executionId, known);
  throw new SwfError(
    'EXECUTION_NOT_FOUND',
    `there is no execution ${JSON.stringify(executionId)}; the nearest: ${near.join(', ')}; use "latest" for the newest; list_workflow_executions lists all`,
  );
}

/** A sentence on how a store without an execution gets its first one; undefined if it has one. */
export const awaitedFirst = (sql: Prepare) => (recentExecutionIds(sql).length > 0 ? undefined : firstWords(sql));

/** An observer waits for other programs' runs. */
function firstWords(sql: Prepare): string {
  const since = sql<number | null>('SELECT min(since_ms) FROM hearings').value();
  if (since === null || since === undefined) return '"swf-mcp run" creates one';
  return (
    messagesWithoutExecution(sql) ??
    `no run of other programs has been observed since listening began at ${new Date(since).toISOString()}`
  );
}

/** Messages to count at most, and runs to name. */
const countedMessages = 10_000;
const namedRuns = 3;

/**
 * A sentence about other programs' messages about runs whose execution no message names; undefined without
 * such messages.
 */
export function messagesWithoutExecution(sql: Prepare): string | undefined {
  const runs = sql<{ run: string; n: number }>(
    `SELECT ${nameOf('run_no')} AS run, count(*) AS n FROM (
       SELECT run_no FROM message_rows INDEXED BY message_rows_execution WHERE execution_no IS NULL AND headers IS NOT NULL AND run_no IS NOT NULL AND effect <> 'rejected' LIMIT ${countedMessages})
     GROUP BY run_no ORDER BY n DESC`,
  ).all();
  if (runs.length === 0) return undefined;
  const count = runs.reduce((sum, { n }) => sum + n, 0);
  const names = runs.slice(0, namedRuns).map(({ run }) => run);
  const more = runs.length > namedRuns ? ` and ${runs.length - namedRuns} more` : '';
  return `${count === countedMessages ? 'at least ' : ''}${counted(count, 'message')} of run ${names.join(', ')}${more} ${count === 1 ? 'belongs' : 'belong'} to no execution, because none of the recorded messages names one; list_messages has ${count === 1 ? 'it' : 'them'}`;
}

/** The execution of a run: our own, or else the newest with that number, or undefined. */
export const executionOfRun = (sql: Prepare, runNumber: number) =>
  sql<string>(
    'SELECT execution_id FROM workflow_executions WHERE run_number = ? ORDER BY origin DESC, seq DESC LIMIT 1',
  ).value(runNumber);

export const recentExecutionIds = (sql: Prepare) =>
  sql<string>('SELECT execution_id FROM workflow_executions ORDER BY seq DESC LIMIT 1000').values();

/** All executions, oldest first. */
export const allExecutionIds = (sql: Prepare) =>
  sql<string>('SELECT execution_id FROM workflow_executions ORDER BY seq').values();
