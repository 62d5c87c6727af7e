import { alarmMessageTypes } from '../../domain/logbook-words.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A change of an alarm not yet delivered to a receiver. */
export interface Undelivered {
  seq: number;
  message_id: string;
  payload: string;
}

/** Registers a receiver. A new one gets changes from now on. @param receiver a digest */
export function knowReceiver({ sql }: Transaction, receiver: string): void {
  sql(
    `INSERT INTO alarm_receivers (receiver, seq) VALUES (?, (SELECT coalesce(max(seq), 0) FROM message_rows)) ON CONFLICT DO NOTHING`,
  ).run(receiver);
}

/** As SQL: the changes not yet delivered to a receiver. */
const undelivered = `message_rows INDEXED BY message_rows_logbook
  WHERE ${indexPredicates.logbook} AND seq > (SELECT seq FROM alarm_receivers WHERE receiver = ?)
    AND type_no IN ${typeNumbers(alarmMessageTypes)} AND effect = 'applied'`;

/** The first change not yet delivered to a receiver, or undefined. */
export const firstUndelivered = (sql: Prepare, receiver: string): Undelivered | undefined =>
  sql<[string], Undelivered>(
    `SELECT seq, message_id, ${messageColumns.payload} AS payload FROM ${undelivered} ORDER BY seq LIMIT 1`,
  ).get(receiver);

/** Skips the changes that a receiver did not get in time: it was away, or was not wanted. @returns how many. @param before milliseconds since 1970 */
export function leaveOut(tx: Transaction, receiver: string, before: number): number {
  const old = tx
    .sql<[string, number], number>(`SELECT seq FROM ${undelivered} AND recorded_ms < ? ORDER BY seq`)
    .values(receiver, before);
  const last = old.at(-1);
  if (last !== undefined) noteDelivered(tx, receiver, last);
  return old.length;
}

export function noteDelivered({ sql }: Transaction, receiver: string, seq: number): void {
  sql('UPDATE alarm_receivers SET seq = max(seq, ?) WHERE receiver = ?').run(seq, receiver);
}
