import { decodeMessage } from '../../messages/codec.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Both ends are ISO 8601. */
export interface Window {
  start_time: string;
  end_time: string;
  namespace?: string | null | undefined;
}

/** Entries of some types up to a time, oldest first, each with when it was written. Times are ISO 8601. Skips entries that can no longer be read. */
export function entriesUntil<T extends LogbookType>(
  sql: Prepare,
  types: readonly T[],
  { end_time, namespace = null }: Omit<Window, 'start_time'>,
): (Message<T> & { sent_at: string })[] {
  const rows = sql<[string, string | null, string | null], { sent_at: string; payload: string }>(
    `SELECT ${messageColumns.sent_at} AS sent_at, ${messageColumns.payload} AS payload FROM message_rows INDEXED BY message_rows_logbook
     WHERE ${indexPredicates.logbook} AND type_no IN ${typeNumbers(types)} AND effect = 'applied' AND sent_ms <= ${milliseconds('?')}
       AND (? IS NULL OR namespace_no = ${numberOf('?')}) ORDER BY seq`,
  ).all(end_time, namespace, namespace);
  return rows.flatMap(({ sent_at, payload }) => {
    const decoded = decodeMessage(payload);
    return decoded.kind === 'message' ? [{ ...(decoded.message as unknown as Message<T>), sent_at }] : [];
  });
}
