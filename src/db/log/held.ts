import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Whether an operator has paused an execution since its driver took it over. A takeover resumes it. */
export function isHeld(sql: Prepare, executionId: string): boolean {
  const row = sql<[string, string], { held: number }>(
    `SELECT type_no = ${numberOf(`'pause_workflow'`)} AND ${messageColumns.recorded_at} >= (
       SELECT taken_at FROM execution_owners WHERE execution_id = ?) AS held FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark}
       AND type_no IN ${typeNumbers(['pause_workflow', 'resume_workflow'])} AND effect = 'applied'
     ORDER BY seq DESC LIMIT 1`,
  ).get(executionId, executionId);
  return row?.held === 1;
}

/** The pause that holds an execution. */
export function heldBy(sql: Prepare, executionId: string): Message<'pause_workflow'> | undefined {
  if (!isHeld(sql, executionId)) return undefined;
  const row = sql<[string], { payload: string }>(
    `SELECT ${messageColumns.payload} AS payload FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark}
       AND type_no = ${numberOf(`'pause_workflow'`)} AND effect = 'applied' ORDER BY seq DESC LIMIT 1`,
  ).get(executionId);
  return row === undefined ? undefined : (decodeRecorded(row.payload) as Message<'pause_workflow'>);
}
