import type { Journal, Reading } from '../../agents/ports.ts';
import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

interface Range {
  readings: readonly Reading[];
  after: number;
  limit: number;
}

type Batch = ReturnType<Journal['read']>;

/**
 * The condition for a reading. The type, which comes from our vocabulary, is part of the statement: with a
 * bound value, SQLite would plan the query again for each call, since the value decides which partial index
 * fits. The body of a row that had an effect is JSON.
 */
function conditionOf(reading: Reading) {
  const ofType = (type: MessageType) => `type_no = ${numberOf(`'${type}'`)} AND effect = 'applied'`;
  if (typeof reading === 'string') return { where: ofType(reading), values: [] };
  return { where: `${ofType(reading.msg_type)} AND json_extract(body, '$.state') = ?`, values: [reading.state] };
}

/** An execution's messages that had an effect, in log order. */
export function readMessages(sql: Prepare, executionId: string, { readings, after, limit }: Range): Batch {
  const newest = `SELECT max(seq) FROM message_rows WHERE execution_no = ${numberOf('?')}`;
  const upTo = sql<number | null>(newest).value(executionId) ?? 0;
  // Read each type through the index on types, instead of searching all rows for the few of one type. Name the
  // index, since SQLite would prefer a shorter one. Leave rows that other processes record in the meantime to
  // the next call; otherwise a later message of one type could hide an earlier one of another type.
  const parts = readings.map((reading) => {
    const { where, values } = conditionOf(reading);
    const text = `SELECT seq, ${messageColumns.payload} AS payload FROM message_rows INDEXED BY message_rows_type
       WHERE execution_no = ${numberOf('?')} AND ${where} AND seq > ? AND seq <= ?`;
    return { text, values: [executionId, ...values, after, upTo] };
  });
  const rows = sql<{ seq: number; payload: string }>(
    `${parts.map(({ text }) => text).join(' UNION ALL ')} ORDER BY seq LIMIT ?`,
  ).all(...parts.flatMap(({ values }) => values), limit);
  const messages = rows.map(({ seq, payload }) => ({ seq, message: decodeRecorded(payload) }));
  const last = messages.at(-1)?.seq ?? after;
  return { messages, seen: messages.length < limit ? Math.max(upTo, last) : last };
}

/** Messages that took effect late, in the order in which they took effect. There are few of them, so check each. */
export function readLateMessages(sql: Prepare, executionId: string, { readings, after, limit }: Range): Batch {
  const rows = sql<{ late_seq: number; payload: string }>(
    `SELECT late_seq, payload FROM late_messages AS l JOIN workflow_messages USING (seq)
     WHERE l.execution_id = ? AND late_seq > ? ORDER BY late_seq LIMIT ?`,
  ).all(executionId, after, limit);
  const messages = rows.map(({ late_seq, payload }) => ({ seq: late_seq, message: decodeRecorded(payload) }));
  const read = messages.filter(({ message }) => isRead(message, readings));
  return { messages: read, seen: rows.at(-1)?.late_seq ?? after };
}

function isRead(message: Message, readings: readonly Reading[]) {
  const { state } = message as { state?: string };
  return readings.some((reading) =>
    typeof reading === 'string'
      ? reading === message.msg_type
      : reading.msg_type === message.msg_type && reading.state === state,
  );
}

/** Number of messages after a position, summed over the readings; each reading counts at most `limit`. */
export const countMessages = (sql: Prepare, executionId: string, { readings, after, limit }: Range) =>
  readings.reduce((sum, reading) => {
    const { where, values } = conditionOf(reading);
    const counted = sql<number>(
      `SELECT count(*) FROM (SELECT 1 FROM message_rows INDEXED BY message_rows_type
         WHERE execution_no = ${numberOf('?')} AND ${where} AND seq > ? LIMIT ?)`,
    ).value(executionId, ...values, after, limit);
    return sum + (counted ?? 0);
  }, 0);

export function readMessage(sql: Prepare, id: string) {
  const payload = sql<string>(`SELECT payload FROM workflow_messages WHERE short_id = ${shortId('?')}`).value(id);
  return payload === undefined ? undefined : decodeRecorded(payload);
}

/**
 * The message in which a driver reported its end. The driver's process, such as a service, may still be
 * alive.
 */
export const driverEnd = (sql: Prepare, executionId: string, epoch: number) =>
  readMessage(sql, `${executionId}/driver_ended/${epoch}`);
