import { utcNow } from '../../lib/time.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A row of the log that its recorder has still to send over the broker. */
export interface UnsentRow {
  seq: number;
  message_id: string;
  message_type: MessageType;
  namespace: string | null;
  execution_id: string | null;
  run_id: string | null;
  payload: string;
}

export function unsentRows(sql: Prepare, namespace: string, after: number, limit: number): UnsentRow[] {
  return sql<[string, number, number], UnsentRow>(
    `SELECT seq, message_id, message_type, namespace, execution_id, run_id, payload FROM workflow_messages
     WHERE seq IN (SELECT seq FROM message_rows
       WHERE namespace_no = ${numberOf('?')} AND ${indexPredicates.unsent} AND seq > ? ORDER BY seq LIMIT ?) ORDER BY seq`,
  ).all(namespace, after, limit);
}

/** Notes the broker's receipts. */
export function markSent({ sql }: Transaction, seqs: readonly number[]): void {
  const now = utcNow();
  for (const seq of seqs) sql('UPDATE message_rows SET outbox_sent_at = ? WHERE seq = ?').run(now, seq);
}

/** Notes that the broker does not take a message: it is not sent again. */
export function markUnsendable({ sql }: Transaction, seq: number): void {
  sql('UPDATE message_rows SET goes_out = 0 WHERE seq = ?').run(seq);
}

/** Lets messages that were sent be sent once more: what nobody has, or nobody has answered. */
export function sendAgain({ sql }: Transaction, messageIds: readonly string[]): void {
  for (const id of messageIds)
    sql('UPDATE message_rows SET outbox_sent_at = NULL WHERE message_id = ? AND goes_out = 1').run(id);
}
