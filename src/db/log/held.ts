import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The last pause or continuation, and whether it is a pause since the driver took the execution over. A takeover resumes it. */
const lastChange = (sql: Prepare, executionId: string) =>
  sql<[string, string], { held: number; payload: string }>(
    `SELECT type_no = ${numberOf(`'pause_workflow'`)} AND ${messageColumns.recorded_at} >= (
       SELECT taken_at FROM execution_owners WHERE execution_id = ?) AS held, ${messageColumns.payload} AS payload FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark}
       AND type_no IN ${typeNumbers(['pause_workflow', 'resume_workflow'])} AND effect = 'applied'
     ORDER BY seq DESC LIMIT 1`,
  ).get(executionId, executionId);

/** Whether an operator has paused an execution. */
export const isHeld = (sql: Prepare, executionId: string): boolean => lastChange(sql, executionId)?.held === 1;

/** The pause that holds an execution. */
export function heldBy(sql: Prepare, executionId: string): Message<'pause_workflow'> | undefined {
  const row = lastChange(sql, executionId);
  return row?.held !== 1 ? undefined : (decodeRecorded(row.payload) as Message<'pause_workflow'>);
}
