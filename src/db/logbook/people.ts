import { type Quality, sentBy } from '../../domain/logbook-words.ts';
import { decodeMessage } from '../../messages/codec.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Both times are ISO 8601. */
export interface Window {
  start_time: string;
  end_time: string;
  namespace?: string | null | undefined;
}

/**
 * Entries of some types up to a time, oldest first, each with the time of writing. Times are ISO 8601. Skips
 * entries that are no longer readable.
 */
export function entriesUntil<T extends LogbookType>(
  sql: Prepare,
  types: readonly T[],
  { end_time, namespace = null }: Omit<Window, 'start_time'>,
) {
  const rows = sql<{ sent_at: string; payload: string }>(
    `SELECT ${messageColumns.sent_at} AS sent_at, ${messageColumns.payload} AS payload FROM message_rows INDEXED BY message_rows_logbook
     WHERE ${indexPredicates.logbook} AND type_no IN ${typeNumbers(types)} AND effect = 'applied' AND sent_ms <= ${milliseconds('?')}
       AND (? IS NULL OR namespace_no = ${numberOf('?')}) ORDER BY seq`,
  ).all(end_time, namespace, namespace);
  return rows.flatMap(({ sent_at, payload }) => {
    const decoded = decodeMessage(payload);
    return decoded.kind === 'message' ? [{ ...(decoded.message as unknown as Message<T>), sent_at }] : [];
  });
}

/** A person's note. Times are ISO 8601. */
interface NoteRow {
  message_id: string;
  /** Null if the note is not about an execution. */
  execution_id: string | null;
  text: string;
  author: string;
  /** The sender that named this author; null if the sender is the author. */
  sent_by: string | null;
  at: string;
  about: string | null;
  for_next: 0 | 1;
  written_at: string;
}

interface QualityRow {
  value: Quality;
  reason: string;
  author: string;
  sent_by: string | null;
  set_at: string;
}

const noteColumns = 'message_id, execution_id, text, author, sent_by, at, about, for_next, written_at';

/** The last notes about an execution, at most `most`, newest first, and the number of earlier ones. */
export function notesOf(sql: Prepare, executionId: string, most: number) {
  const [about, last] = ['FROM notes WHERE execution_id = ?', 'ORDER BY seq DESC LIMIT ?'];
  const notes = sql<NoteRow>(`SELECT ${noteColumns} ${about} ${last}`).all(executionId, most);
  const all = notes.length < most ? notes.length : (sql<number>(`SELECT count(*) ${about}`).value(executionId) ?? 0);
  return { notes, omitted: all - notes.length };
}

const maxWritten = 1000;

/**
 * The last notes written in a period, oldest first: those in a namespace, and those that are not about an
 * execution.
 */
export const notesWritten = (sql: Prepare, { start_time, end_time, namespace = null }: Window) =>
  sql<NoteRow>(
    `SELECT ${noteColumns} FROM notes WHERE written_at >= ? AND written_at <= ?
       AND (? IS NULL OR execution_id IS NULL OR execution_id IN (SELECT execution_id FROM workflow_executions WHERE namespace = ?))
     ORDER BY seq DESC LIMIT ${maxWritten}`,
  )
    .all(start_time, end_time, namespace, namespace)
    .toReversed();

/**
 * Every quality that was set at or before a time, including `none`, oldest first. This reads the log, which has
 * them all: the table has only the last quality of each run.
 */
export const judgementsUntil = (sql: Prepare, window: Omit<Window, 'start_time'>) =>
  entriesUntil(sql, ['quality'], window).map(({ execution_id = '', value, reason, author, sender, sent_at }) => ({
    execution_id,
    value,
    reason,
    author,
    sent_by: sentBy({ author, sender }),
    set_at: sent_at,
  }));

/** The quality of a run; undefined if never set. A withdrawn quality is `none`. */
export const qualityOf = (sql: Prepare, executionId: string) =>
  sql<QualityRow>('SELECT value, reason, author, sent_by, set_at FROM run_quality WHERE execution_id = ?').get(
    executionId,
  );
