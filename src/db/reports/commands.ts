import type { CommandGiven } from '../../monitoring/evidence.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { isHeld } from '../log/commands.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

interface CommandRow {
  sender_agent: string | null;
  sent_at: string;
  reason: string | null;
  claimed_by: string | null;
}

/** As SQL: a field of a body if it is a text. Bodies are kept as received, so an optional field may hold anything. */
const textOf = (field: string, most: number): string =>
  `CASE WHEN json_valid(body) AND json_type(body, '$.${field}') = 'text' THEN substr(body ->> '$.${field}', 1, ${most}) END`;

/** The last command of a type that took effect, or that waits for a driver. */
function lastCommand(
  sql: Prepare,
  executionId: string,
  type: 'pause_workflow' | 'stop_workflow',
  state: 'applied' | 'waiting' = 'applied',
): CommandGiven | undefined {
  const condition = state === 'applied' ? `effect = 'applied'` : indexPredicates.waitingCommand;
  const row = sql<[string], CommandRow>(
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

/** The pause of an execution that is paused now; undefined if nobody paused it, or it rests between two periods. */
export function pausedBy(sql: Prepare, { execution_id, status }: ExecutionRow): CommandGiven | undefined {
  if (status !== 'running' || !isHeld(sql, execution_id)) return undefined;
  return lastCommand(sql, execution_id, 'pause_workflow');
}

/** A stop of a running execution that no driver has carried out yet: the execution goes on. */
export const pendingStop = (sql: Prepare, { execution_id, status }: ExecutionRow): CommandGiven | undefined =>
  status === 'running' ? lastCommand(sql, execution_id, 'stop_workflow', 'waiting') : undefined;

/** The stop that ended an execution early, by an operator or by an agent that gave up. */
export const stoppedBy = (sql: Prepare, { execution_id, status }: ExecutionRow): CommandGiven | undefined =>
  status === 'terminated' || status === 'failed' ? lastCommand(sql, execution_id, 'stop_workflow') : undefined;
