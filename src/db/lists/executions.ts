import type { Quality } from '../../domain/logbook-words.ts';
import { usualConfiguration } from '../../domain/names.ts';
import { shownCommand } from '../../domain/shown.ts';
import { executionColumns, type ExecutionRow } from '../execution/find-execution.ts';
import { failedStfs, hasPlan, knownBytes, knownRetries } from '../migrations/documented-views.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import { asItStands, unheardExecutions, unheardSince } from '../observed/settle.ts';
import { interruptedExecutions, type LivenessTest, type Moment, momentOfTest, lastSignOf } from '../presence/leases.ts';
import { type Prepare, jsonField } from '../sqlite/statements.ts';
import type { Condition, Page, Texts, Window } from './list-query.ts';
import { listRows } from './list-rows.ts';

export type ListedExecution = ExecutionRow & {
  /** Null if unknown. */
  retries: number | null;
  /** The total size of the execution's STF files; null if unknown. */
  bytes: number | null;
  /** The speed at the start: a number, or `max`. Null if the recorded parameters are damaged. */
  speed: string | number | null;
  /** Null if unset. */
  quality: Quality | null;
};

export interface ExecutionFilter
  extends Window, Texts<'namespace' | 'status' | 'executed_by' | 'workflow_name' | 'site' | 'execution_id'> {
  origin?: 'own' | 'observed' | undefined;
  quality?: Quality | undefined;
  has_failures?: boolean | undefined;
  min_stf_count?: number | undefined;
  config?: string | undefined;
  /** Lists only these executions. */
  among?: readonly string[] | undefined;
  /** A text that occurs in the payload as displayed. */
  payload?: string | undefined;
  /** Words to search for in notes and reasons. */
  search?: string | undefined;
}

/**
 * Lists executions whose lifetime overlaps the window.
 * @param isAlive whether a running execution has a driver
 */
export function listExecutions(sql: Prepare, filter: ExecutionFilter, page: Page, isAlive: LivenessTest) {
  const { start_time, end_time, has_failures, status } = filter;
  const moment = { isAlive, now: momentOfTest(isAlive) };
  const found = listRows<ListedExecution>(sql, {
    select: `${executionColumns}, ${knownRetries('e', 'e')} AS retries, ${knownBytes('e')} AS bytes, ${jsonField('params', 'speed')} AS speed, nullif(${qualityValue}, 'none') AS quality`,
    from: 'workflow_executions AS e',
    join: 'JOIN run_states USING (execution_id) JOIN (SELECT execution_id, dataset_bytes FROM runs) USING (execution_id)',
    key: 'seq',
    time: 'e.start_time',
    conditions: {
      execution: ['e.execution_id = ?', filter.execution_id],
      namespace: ['namespace = ?', filter.namespace],
      ...(status === undefined ? {} : ofStatus(status, unheardExecutions(sql, moment))),
      user: ['executed_by = ?', filter.executed_by],
      workflow: ['workflow_name = ?', filter.workflow_name],
      site: [
        `EXISTS (SELECT 1 FROM (${places}) AS p WHERE p.execution_id = e.execution_id AND p.site = ?)`,
        filter.site,
      ],
      origin: ['origin = ?', filter.origin],
      among: ['e.execution_id IN (SELECT value FROM json_each(?))', filter.among && JSON.stringify(filter.among)],
      quality: [`${qualityValue} = ?`, filter.quality],
      failures: [
        `(${ofRun('slices_failed')} + ${failedStfs} > 0) = ?`,
        has_failures === undefined ? undefined : Number(has_failures),
      ],
      'STF files': [`${ofRun('stfs_announced')} >= ?`, filter.min_stf_count],
      config: [configIs, filter.config],
      payload: [
        `${payloadField} IN (SELECT value FROM json_each(?))`,
        filter.payload === undefined ? undefined : JSON.stringify(payloadsLike(sql, filter.payload)),
      ],
      words: [
        `NOT EXISTS (SELECT 1 FROM json_each(?) AS word WHERE instr(${writtenOf}, word.value) = 0)`,
        filter.search && JSON.stringify(wordsIn(filter.search)),
      ],
      'begun by': ['e.start_time <= ?', end_time],
      'not ended before': [`coalesce(e.end_time, '9999') >= ?`, start_time],
      // An execution whose driver or observer is gone has no recorded end yet, but is not alive.
      'not dead before': [
        'e.execution_id NOT IN (SELECT value FROM json_each(?))',
        start_time && JSON.stringify(deadBefore(sql, start_time, moment)),
      ],
    },
    indexes: [
      ['sqlite_autoindex_workflow_executions_1', ['execution']],
      ['workflow_executions_status', ['status']],
    ],
    window: {},
    page,
  });
  return { ...found, rows: found.rows.map((row) => asItStands(sql, row, moment)) };
}

/**
 * The condition for a status. Executions that are stored as running but are no longer heard from have a
 * different status, which no index contains.
 */
function ofStatus(status: string, unheard: ReturnType<typeof unheardExecutions>): Record<string, Condition> {
  const wasRunning = [...unheard].filter(([, standing]) => standing.status === status).map(([id]) => id);
  const isUnheard = 'e.execution_id IN (SELECT value FROM json_each(?))';
  if (status === 'running' && unheard.size > 0)
    return { status: ['status = ?', status], heard: [`NOT ${isUnheard}`, JSON.stringify([...unheard.keys()])] };
  if (wasRunning.length === 0) return { status: ['status = ?', status] };
  return { 'any status': [`(status = '${status}' OR ${isUnheard})`, JSON.stringify(wasRunning)] };
}

/** As SQL: the sites of each execution. */
const places = 'SELECT execution_id, site FROM stf_sites UNION ALL SELECT execution_id, site FROM handed_over';

/** As SQL: one of the run's counts. */
const ofRun = (column: string) => `(SELECT ${column} FROM run_states WHERE run_states.execution_id = e.execution_id)`;

const qualityValue = `coalesce((SELECT value FROM run_quality AS q WHERE q.execution_id = e.execution_id), 'none')`;

/** As SQL: a value in the message that requested an execution; NULL if there is no such message. */
const asOrdered = (value: string) => `(SELECT ${value} FROM message_rows
  WHERE execution_no = ${numberOf('e.execution_id')} AND ${indexPredicates.landmark}
    AND type_no = ${numberOf(`'run_workflow'`)} AND effect = 'applied' ORDER BY seq LIMIT 1)`;

/**
 * As SQL: the recorded payload, as JSON; NULL if no message requested the execution, or its parameters are
 * damaged.
 */
const payloadField = asOrdered(`CASE WHEN json_valid(params) THEN coalesce(params -> '$.worker.payload', 'null') END`);

/** As SQL: whether an execution's slices are processed by the placeholder, whose duration is configured. */
export const isPlaceholder = `(${payloadField} IS 'null' AND ${hasPlan('e')})`;

/**
 * As SQL: the name or path of the configuration, as requested or, if there was no request, as the runner
 * reported it. A request that names no configuration means the default one.
 */
const configField = `coalesce(${asOrdered(`coalesce(${jsonField('body', 'config')}, '${usualConfiguration}')`)}, ${jsonField('params', 'workflow.config')})`;

const configIs = `EXISTS (SELECT 1 FROM (SELECT '/' || ? AS name, '/' || ${configField} AS path) WHERE substr(path, -length(name)) = name)`;

/** As SQL: the notes about an execution, the reason for its quality, and why it ended, in lower case. */
const writtenOf = `lower(coalesce(status_reason, '') || ' ' ||
  coalesce((SELECT reason FROM run_quality AS q WHERE q.execution_id = e.execution_id), '') || ' ' ||
  coalesce((SELECT group_concat(text, ' ') FROM notes WHERE notes.execution_id = e.execution_id), ''))`;

/** The words of a text, in lower case. As in SQLite, only ASCII letters are converted. */
const wordsIn = (text: string) =>
  text
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .split(/\s+/)
    .filter((word) => word !== '');

/**
 * The recorded payloads, as JSON, whose displayed form contains a text. Secrets are not displayed, so they
 * cannot be searched for.
 */
const payloadsLike = (sql: Prepare, asked: string) =>
  sql<string | null>(`SELECT DISTINCT ${payloadField} FROM workflow_executions AS e`)
    .values()
    .flatMap((payload) => payload ?? [])
    .filter((payload) => shownPayload(payload).toLowerCase().includes(asked.toLowerCase()));

function shownPayload(json: string) {
  const payload: unknown = JSON.parse(json);
  return Array.isArray(payload) ? shownCommand(payload.map(String)) : 'placeholder';
}

/** Executions without a recorded end whose driver, or whose observation, ended before the given time. */
const deadBefore = (sql: Prepare, time: string, moment: Moment) =>
  [
    ...interruptedExecutions(sql, undefined, moment.isAlive).filter((one) => lastSignOf(sql, one).at < time),
    ...unheardSince(sql, time, moment),
  ].map(({ execution_id }) => execution_id);
