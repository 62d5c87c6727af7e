import { landmarkTypes } from '../../messages/vocabulary.ts';
import type { CommandGiven, Some } from '../../monitoring/evidence.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { type MessageHead, headColumns } from '../lists/messages.ts';
import { isHeld } from '../log/commands.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The last message of an execution, apart from logbook entries; if it had no effect, also why. */
export type LastMessage = Pick<MessageHead, 'message_id' | 'sent_at' | 'effect' | 'effect_code' | 'effect_reason'>;

export const lastMessage = (sql: Prepare, executionId: string) =>
  sql<LastMessage>(
    `SELECT ${messageColumns.message_id} AS message_id, ${messageColumns.sent_at} AS sent_at, effect, effect_code, effect_reason FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  ).get(executionId);

/**
 * A message that is a landmark of an execution. The body of `run_workflow`, which is a whole configuration,
 * is left out.
 */
export interface Landmark extends MessageHead {
  /** The message's fields, or the whole text of a message that is stored whole. */
  body: string | null;
}

/** Types whose messages may be very numerous in a run with many physics periods. */
const phaseTypes: readonly string[] = ['pause_run', 'resume_run'];
const maxPhases = 2;

/** The writes with which other programs report to their monitor how an execution ended, including a stop. */
const toldTypes = ['execution_status'];

/** As SQL: the `seq` of the newest messages of each type, found through the index on types. */
const newestOfTypes = [...landmarkTypes, ...toldTypes]
  .map(
    (type) => `SELECT seq FROM (SELECT seq FROM message_rows INDEXED BY message_rows_type
       WHERE execution_no = ${numberOf('$id')} AND type_no = ${numberOf(`'${type}'`)} ORDER BY seq DESC LIMIT ${phaseTypes.includes(type) ? maxPhases : '($limit + 0)'})`,
  )
  .join(' UNION ALL ');

/**
 * As SQL: the landmark messages. `newest` is materialized, since otherwise SQLite would assemble the rows once
 * per type.
 */
const landmarks = `WITH newest AS MATERIALIZED (${newestOfTypes})
  SELECT ${headColumns}, CASE WHEN type_no IS NOT ${numberOf(`'run_workflow'`)} THEN body END AS body
  FROM newest CROSS JOIN message_rows USING (seq) ORDER BY seq DESC LIMIT ($limit + 0)`;

/**
 * The newest messages that are the landmarks of an execution: its phases, drivers, commands and end. Only the
 * last two messages of each of the `phaseTypes` are included, so that they do not crowd out commands and
 * takeovers.
 */
export const lastLandmarks = (sql: Prepare, id: string, limit: number) => sql<Landmark>(landmarks).all({ id, limit });

/** The newest messages that cannot be read, or that contradict an earlier message. */
export const lastTroubledMessages = (sql: Prepare, executionId: string, limit: number) =>
  newest(sql, executionId, indexPredicates.troubled, limit);

const newest = (sql: Prepare, executionId: string, condition: string, limit: number) =>
  sql<MessageHead>(
    `SELECT ${headColumns} FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${condition} ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);

/** Maximum number of messages to count. */
const maxCounted = 1000;

const named = 5;

/** Number of messages of a kind, and the ids of the newest ones. @param condition as SQL */
export function someMessages(sql: Prepare, executionId: string, condition: string): Some {
  const count = sql<number>(
    `SELECT count(*) FROM (SELECT 1 FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${condition} LIMIT ?)`,
  ).value(executionId, maxCounted);
  if (count === undefined || count === 0) return { count: 0, ids: [] };
  return { count, ids: newest(sql, executionId, condition, named).map(({ message_id }) => message_id) };
}

/**
 * A message recorded with a longer delay than this counts as late. In milliseconds; usual delays are
 * milliseconds, or seconds over a broker.
 */
const usualDelay = 10_000;

const ofExecution = `FROM message_rows WHERE execution_no = ${numberOf('$id')}`;

/**
 * As SQL: a row that was recorded late. The first two conditions are the same for all rows, so no rows are read
 * for an execution that was recorded in time, or for one of swf-mcp's own executions, for which the recorder's
 * times count.
 */
const lateRow = `SELECT 1 ${ofExecution} AND (SELECT recorded_ms ${ofExecution} ORDER BY seq DESC LIMIT 1) > $until
  AND (SELECT headers ${ofExecution} ORDER BY seq LIMIT 1) IS NOT NULL
  AND sent_ms >= $from AND sent_ms < $until AND recorded_ms > $until AND recorded_ms - sent_ms > ${usualDelay} ORDER BY seq DESC LIMIT 1`;

/**
 * Whether a message from another program was sent between two times but recorded only later, for example
 * after a network failure. Times are milliseconds since 1970.
 */
export const isAnyRecordedLate = (sql: Prepare, id: string, from: number, until: number) =>
  sql(lateRow).has({ id, from, until });

interface CommandRow {
  sender_agent: string | null;
  sent_at: string;
  reason: string | null;
  claimed_by: string | null;
}

/**
 * As SQL: a field of a body if the field is text. Bodies are kept as received, so an optional field may
 * contain anything.
 */
const textOf = (field: string, most: number) =>
  `CASE WHEN json_valid(body) AND json_type(body, '$.${field}') = 'text' THEN substr(body ->> '$.${field}', 1, ${most}) END`;

/** The last command of a type that took effect, or that waits for a driver. */
function lastCommand(
  sql: Prepare,
  executionId: string,
  type: 'pause_workflow' | 'stop_workflow',
  state: 'applied' | 'waiting' = 'applied',
): CommandGiven | undefined {
  const condition = state === 'applied' ? `effect = 'applied'` : indexPredicates.waitingCommand;
  const row = sql<CommandRow>(
    `SELECT ${messageColumns.sender_agent} AS sender_agent, ${messageColumns.sent_at} AS sent_at, ${textOf('reason', 1000)} AS reason, ${textOf('claimed_by', 100)} AS claimed_by
     FROM message_rows INDEXED BY message_rows_type
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'${type}'`)} AND ${condition} ORDER BY seq DESC LIMIT 1`,
  ).get(executionId);
  if (row === undefined) return undefined;
  const { sender_agent, sent_at, reason, claimed_by } = row;
  return {
    name: claimed_by ?? sender_agent ?? 'unknown',
    time: sent_at,
    ...(reason === null ? {} : { reason }),
    ...(claimed_by === null ? {} : { claimed_by, sent_by: sender_agent ?? 'unknown' }),
  };
}

/**
 * The current pause of an execution; undefined if the execution is not paused, or is between two physics
 * periods.
 */
export function pausedBy(sql: Prepare, { execution_id, status }: ExecutionRow): CommandGiven | undefined {
  if (status !== 'running' || !isHeld(sql, execution_id)) return undefined;
  return lastCommand(sql, execution_id, 'pause_workflow');
}

/** A request to stop a running execution, if no driver has carried it out yet. */
export const pendingStop = (sql: Prepare, { execution_id, status }: ExecutionRow) =>
  status === 'running' ? lastCommand(sql, execution_id, 'stop_workflow', 'waiting') : undefined;

/** The request that ended an execution early, from an operator or from an agent that gave up. */
export const stoppedBy = (sql: Prepare, { execution_id, status }: ExecutionRow) =>
  status === 'terminated' || status === 'failed' ? lastCommand(sql, execution_id, 'stop_workflow') : undefined;
