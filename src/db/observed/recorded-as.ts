import type { Statement } from '../../observed/reading/fact.ts';
import { heardId } from '../../observed/told/heard-id.ts';
import { nameOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { StoredMessage } from './said.ts';

/**
 * The id of a message, and its row if it is recorded. The same REST write in two runs is two messages: since the id is made of path and body alone,
 * the second has its run appended.
 */
export function recordedAs(
  sql: Prepare,
  statement: Statement,
  { destination, body }: Pick<StoredMessage, 'destination' | 'body'>,
) {
  const message_id = heardId(statement, destination, body);
  const known = rowOf(sql, message_id);
  const { run_id } = statement;
  const isOther = known !== undefined && known.run_id !== null && run_id !== undefined && known.run_id !== run_id;
  if (!isOther) return { message_id, known };
  const own = `${message_id}~${run_id}`;
  return { message_id: own, known: rowOf(sql, own) };
}

const rowOf = (sql: Prepare, messageId: string) =>
  sql<[string], { seq: number; sent_ms: number; execution_id: string | null; run_id: string | null }>(
    `SELECT seq, sent_ms, ${nameOf('execution_no')} AS execution_id, ${nameOf('run_no')} AS run_id FROM message_rows WHERE message_id = ?`,
  ).get(messageId);
