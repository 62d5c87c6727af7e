import { onceFor } from '../../lib/once-for.ts';
import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { effectColumns, happenedAt } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import { providedKey } from '../projection/effect.ts';
import { project } from '../projection/index.ts';
import type { Transaction } from '../sqlite/transaction.ts';

interface WaitingRow {
  seq: number;
  payload: string;
  happened_at: string;
}

/**
 * Applies the messages that waited for `message`. They arrived before the message they refer to, so they were
 * in the log but had no effect. They are now projected in order and recorded as late: consumers have already
 * passed their positions in the log, and read late messages with a separate cursor.
 * @returns the types of the messages that took effect
 */
export function releaseWaiting(tx: Transaction, message: Message): MessageType[] {
  const { execution_id } = message;
  if (execution_id === undefined) return [];
  const released = [message];
  // An applied message may release others in turn.
  for (const one of released) {
    const key = providedKey(one);
    for (const row of key === undefined ? [] : waitingFor(tx, execution_id, key)) {
      const late = projectLate(tx, execution_id, row);
      if (late !== undefined) released.push(late);
    }
  }
  return released.slice(1).map(({ msg_type }) => msg_type);
}

function projectLate(tx: Transaction, executionId: string, row: WaitingRow) {
  const message = decodeRecorded(row.payload);
  const effect = project(tx, message, row.happened_at);
  tx.sql(
    'UPDATE message_rows SET effect = $effect, effect_code = $effect_code, effect_reason = $effect_reason, awaits = $awaits WHERE seq = $seq',
  ).run({ seq: row.seq, effect: effect.effect, ...effectColumns(effect) });
  if (effect.effect !== 'applied') return undefined;
  tx.sql('INSERT INTO late_messages (execution_id, seq) VALUES (?, ?)').run(executionId, row.seq);
  return message;
}

const waitingRows = `SELECT seq, ${messageColumns.payload} AS payload, ${happenedAt} AS happened_at FROM message_rows
  WHERE execution_no = ${numberOf('?')} AND awaits = ? ORDER BY seq`;

const anyWaiting = `SELECT 1 FROM message_rows WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.awaiting} LIMIT 1`;

/**
 * Whether executions have waiting messages. Cached per transaction: very many messages require this check, and
 * the answer is usually no.
 */
const areAwaited: (tx: Transaction) => Map<string, boolean> = onceFor(() => new Map());

/** Call after recording a message that waits for another. */
export const noteWaiting = (tx: Transaction) => areAwaited(tx).clear();

function isAnyWaiting(tx: Transaction, executionId: string) {
  const known = areAwaited(tx);
  const isAny = known.get(executionId) ?? tx.sql(anyWaiting).has(executionId);
  known.set(executionId, isAny);
  return isAny;
}

const waitingFor = (tx: Transaction, executionId: string, key: string) =>
  isAnyWaiting(tx, executionId) ? tx.sql<WaitingRow>(waitingRows).all(executionId, key) : [];
