import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** As SQL: the last message of some types that took effect in the execution `$id`. */
const lastApplied = (columns: string, types: readonly string[]): string =>
  `SELECT ${columns} FROM message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.landmark}
     AND type_no IN ${typeNumbers(types)} AND effect = 'applied' ORDER BY seq DESC LIMIT 1`;

const isPause = `type_no = ${numberOf(`'pause_workflow'`)}`;

/**
 * The last pause or continuation, and whether it is a pause that still holds: a takeover resumes an execution. The order of the log decides, since
 * clocks of hosts differ.
 */
const lastChange = (sql: Prepare, executionId: string) =>
  sql<[{ id: string }], { held: number | null; payload: string }>(
    lastApplied(
      `${isPause} AND seq > (${lastApplied('seq', ['driver_started'])}) AS held, ${messageColumns.payload} AS payload`,
      ['pause_workflow', 'resume_workflow'],
    ),
  ).get({ id: executionId });

/** Whether an operator has paused an execution. */
export const isHeld = (sql: Prepare, executionId: string): boolean => lastChange(sql, executionId)?.held === 1;

/** The pause that holds an execution. */
export function heldBy(sql: Prepare, executionId: string): Message<'pause_workflow'> | undefined {
  const row = lastChange(sql, executionId);
  return row?.held !== 1 ? undefined : (decodeRecorded(row.payload) as Message<'pause_workflow'>);
}
