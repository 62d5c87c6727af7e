import { utcNow } from '../../lib/time.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A log row that the recorder still has to send over the broker. */
export interface UnsentRow {
  seq: number;
  message_id: string;
  message_type: MessageType;
  namespace: string | null;
  execution_id: string | null;
  run_id: string | null;
  payload: string;
}

export const unsentRows = (sql: Prepare, namespace: string, after: number, limit: number) =>
  sql<UnsentRow>(
    `SELECT seq, message_id, message_type, namespace, execution_id, run_id, payload FROM workflow_messages
     WHERE seq IN (SELECT seq FROM message_rows
       WHERE namespace_no = ${numberOf('?')} AND ${indexPredicates.unsent} AND seq > ? ORDER BY seq LIMIT ?) ORDER BY seq`,
  ).all(namespace, after, limit);

/** Number of unsent rows of a namespace, and when the oldest was recorded, in milliseconds since 1970. */
export function unsentOf(sql: Prepare, namespace: string) {
  const row = sql<{ count: number; oldest: number | null }>(
    `SELECT count(*) AS count, min(recorded_ms) AS oldest FROM message_rows
     WHERE namespace_no = ${numberOf('?')} AND ${indexPredicates.unsent}`,
  ).get(namespace);
  return { count: row?.count ?? 0, oldest: row?.oldest ?? undefined };
}

/** Records that the broker has received these messages. */
export function markSent({ sql }: Transaction, seqs: readonly number[]) {
  const now = utcNow();
  for (const seq of seqs) sql('UPDATE message_rows SET outbox_sent_at = ? WHERE seq = ?').run(now, seq);
}

/** Records that the broker refused a message, so that it is not sent again. */
export function markUnsendable({ sql }: Transaction, seq: number) {
  sql('UPDATE message_rows SET goes_out = iif(goes_out = 2, 3, 0) WHERE seq = ?').run(seq);
}

/**
 * Lets a new recorder retry messages of running executions that the broker refused when the previous recorder
 * sent them.
 */
export function reviveUnsendable({ sql }: Transaction, namespace: string) {
  sql(
    `UPDATE message_rows SET goes_out = iif(goes_out = 3, 2, 1) WHERE goes_out IN (0, 3) AND execution_no IN (
       SELECT name_no FROM names JOIN workflow_executions ON name = execution_id WHERE status = 'running' AND namespace = ?)`,
  ).run(namespace);
}

/**
 * Sends messages again: slices that no agent has, and unanswered messages, even if other agents originally sent
 * them.
 * @returns the executions of the messages
 */
export function sendAgain({ sql }: Transaction, messageIds: readonly string[]) {
  const update = sql<string | null>(
    `UPDATE message_rows SET goes_out = iif(goes_out IN (0, 1), 1, 2), outbox_sent_at = NULL WHERE short_id = ${shortId('?')}
     RETURNING ${nameOf('execution_no')}`,
  );
  return new Set(messageIds.flatMap((id) => update.values(id)).filter((id) => id !== null));
}

/** Stops sending the slices of an ended execution. */
export function dropUnsentSlices({ sql }: Transaction, executionId: string) {
  sql(
    `UPDATE message_rows SET goes_out = NULL
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'slice'`)} AND ${indexPredicates.unsent}`,
  ).run(executionId);
}
