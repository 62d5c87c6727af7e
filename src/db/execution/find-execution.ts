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
  /** Number of STF files that failed at a site. */
  stf_failed: number;
  /**
   * 1 for a prompt processing execution about which nothing was reported over REST: the bus alone does not show
   * how its files are processed.
   */
  processing_unheard: number;
}

/** An execution that swf-mcp ran, whose plan is known. */
export interface OwnExecution extends AnyExecution {
  origin: 'own';
  workflow_name: string;
  run_number: number;
  executed_by: string;
}

/**
 * An execution of other programs. Facts that were not reported are null, except the namespace, which is an
 * empty string.
 */
interface ObservedExecution extends AnyExecution {
  origin: 'observed';
  workflow_name: string | null;
  run_number: number | null;
  executed_by: string | null;
}

/** An execution with its counts. Times are ISO 8601. */
export type ExecutionRow = OwnExecution | ObservedExecution;

/** The execution, if swf-mcp ran it and its plan is therefore known; undefined for an execution of other programs. */
export const withPlan = (execution: ExecutionRow) => (execution.origin === 'own' ? execution : undefined);

/** Throws `ARGUMENT_INVALID` for an execution of swf-mcp itself. */
export function requireObserved(execution: ExecutionRow) {
  if (execution.origin === 'observed') return execution;
  throw argumentInvalid(
    `${execution.execution_id} was run by swf-mcp, whose messages are specified in docs/messages.md; name an observed execution`,
  );
}

/**
 * Throws `ARGUMENT_INVALID` for an execution of other programs.
 * @param purpose what cannot be done with it, such as `be resumed`
 */
export function requireOwn(execution: ExecutionRow, purpose: string) {
  const planned = withPlan(execution);
  if (planned !== undefined) return planned;
  throw argumentInvalid(
    `${execution.execution_id} is observed: other programs run it, so it cannot ${purpose} here; get_workflow_monitor shows what was recorded about it`,
  );
}

/**
 * For an ended execution of swf-mcp: a text that changes whenever a message or log line of the execution is
 * recorded; nothing else can change its record. Undefined for any other execution.
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

/** The types of messages in which programs report on a run over REST. */
const toldTypes = ['execution_registered', 'run_registered', 'data_run_opened', 'stf_registered', 'stf_status'];

const unheard = `(origin = 'observed' AND workflow_name IS '${promptProcessing}' AND NOT EXISTS (SELECT 1 FROM message_rows INDEXED BY message_rows_type
  WHERE execution_no = ${numberOf('e.execution_id')} AND type_no IN ${typeNumbers(toldTypes)})) AS processing_unheard`;

/** As SQL: the columns of an `ExecutionRow`, from `workflow_executions AS e` and `run_states`. */
export const executionColumns = `seq AS key, e.execution_id, origin, workflow_name, namespace, status, status_reason, phase, run_number,
  executed_by, start_time, end_time, ${stfCount(statedStfs)} AS stf_count, ${countColumns}, ${failedStfs} AS stf_failed, ${unheard}`;

/** As SQL: the start of a query for one execution. */
export const anExecution = `SELECT ${executionColumns} FROM workflow_executions AS e JOIN run_states USING (execution_id)`;

/** Throws an `Error` if the execution does not exist. */
export function countsOf(sql: Prepare, executionId: string) {
  const row = sql<Counts>(
    `SELECT stfs_announced AS stf_count, ${countColumns} FROM run_states WHERE execution_id = ?`,
  ).get(executionId);
  if (row === undefined) throw new Error(`the run of ${executionId} has no state`);
  return row;
}

/**
 * An execution by its id, or the last one for `latest`. Throws `EXECUTION_NOT_FOUND` with similar ids, and
 * `EXECUTION_REMOVED` if the execution was removed.
 */
export function requireExecution(sql: Prepare, executionId: string): ExecutionRow {
  const [which, values] =
    executionId === 'latest' ? ['ORDER BY seq DESC LIMIT 1', []] : ['WHERE e.execution_id = ?', [executionId]];
  const found = sql<ExecutionRow>(`${anExecution} ${which}`).get(...values);
  if (found !== undefined) return found;
  // Answers show an id with its hidden characters escaped, and the caller may have copied that form.
  const unescaped = asItWas(executionId);
  if (unescaped !== executionId && isExecution(sql, unescaped)) return requireExecution(sql, unescaped);
  const removal = removalOf(sql, executionId);
  if (removal !== undefined)
    throw new SwfError(
      'EXECUTION_REMOVED',
      `${executionId} was removed${removalWords(removal)}, with everything recorded about it; list_workflow_executions lists the others`,
    );
  const known = recentExecutionIds(sql);
  if (known.length === 0) throw new SwfError('EXECUTION_NOT_FOUND', firstWords(sql));
  const ofRun = /^\d{1,15}$/.test(executionId) ? executionOfRun(sql, Number(executionId)) : undefined;
  if (ofRun !== undefined)
    throw new SwfError('EXECUTION_NOT_FOUND', `${executionId} is a run number; use its execution id, ${ofRun}`);
  const near = nearest(executionId, known);
  throw new SwfError(
    'EXECUTION_NOT_FOUND',
    `there is no execution ${JSON.stringify(executionId)}; the nearest: ${near.join(', ')}; use "latest" for the newest; list_workflow_executions lists all`,
  );
}

/** A sentence on how a store gets its first execution; undefined if the store has executions. */
export const awaitedFirst = (sql: Prepare) => (recentExecutionIds(sql).length > 0 ? undefined : firstWords(sql));

/**
 * A sentence for a store that is known to have no executions. If the store has had an observer, the sentence is
 * about runs of other programs.
 */
function firstWords(sql: Prepare) {
  const since = sql<number | null>('SELECT min(since_ms) FROM hearings').value();
  const why =
    typeof since !== 'number'
      ? '"swf-mcp run" creates one'
      : (messagesWithoutExecution(sql) ??
        `no run by other programs has been observed since listening began at ${new Date(since).toISOString()}`);
  return `there are no executions in this store yet; ${why}`;
}

/** Maximum numbers of messages to count and of runs to name. */
const countedMessages = 10_000;
const namedRuns = 3;

/**
 * A sentence about other programs' messages that name a run but belong to no known execution; undefined if
 * there are none.
 */
export function messagesWithoutExecution(sql: Prepare) {
  const runs = sql<{ run: string; n: number }>(
    `SELECT ${nameOf('run_no')} AS run, count(*) AS n FROM (
       SELECT run_no FROM message_rows INDEXED BY message_rows_execution WHERE execution_no IS NULL AND headers IS NOT NULL AND run_no IS NOT NULL AND effect <> 'rejected' LIMIT ${countedMessages})
     GROUP BY run_no ORDER BY n DESC`,
  ).all();
  if (runs.length === 0) return undefined;
  const count = runs.reduce((sum, { n }) => sum + n, 0);
  const names = runs.slice(0, namedRuns).map(({ run }) => run);
  const more = runs.length > namedRuns ? ` and ${runs.length - namedRuns} more` : '';
  return `${count === countedMessages ? 'at least ' : ''}${counted(count, 'message')} of run ${names.join(', ')}${more} ${count === 1 ? 'belongs' : 'belong'} to no execution, because none of the recorded messages names an execution; list_messages shows ${count === 1 ? 'it' : 'them'}`;
}

/**
 * The execution with this run number: our own if there is one, otherwise the newest observed one; undefined if
 * there is neither.
 */
export const executionOfRun = (sql: Prepare, runNumber: number) =>
  sql<string>(
    'SELECT execution_id FROM workflow_executions WHERE run_number = ? ORDER BY origin DESC, seq DESC LIMIT 1',
  ).value(runNumber);

export const recentExecutionIds = (sql: Prepare) =>
  sql<string>('SELECT execution_id FROM workflow_executions ORDER BY seq DESC LIMIT 1000').values();

export const allExecutionIds = (sql: Prepare) =>
  sql<string>('SELECT execution_id FROM workflow_executions ORDER BY seq').values();
