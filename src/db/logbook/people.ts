import { type Quality, sentBy } from '../../domain/logbook-words.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { entriesUntil, type Window } from './read-log.ts';

/** A note of a person. Times are ISO 8601. */
export interface NoteRow {
  message_id: string;
  /** Null if it is about no execution. */
  execution_id: string | null;
  text: string;
  author: string;
  /** The sender that claims this name; null if it is the author. */
  sent_by: string | null;
  at: string;
  about: string | null;
  for_next: 0 | 1;
  written_at: string;
}

export interface QualityRow {
  value: Quality;
  reason: string;
  author: string;
  sent_by: string | null;
  set_at: string;
}

const noteColumns = 'message_id, execution_id, text, author, sent_by, at, about, for_next, written_at';

/** The last notes about an execution, newest first. */
export const notesOf = (sql: Prepare, executionId: string, most: number): NoteRow[] =>
  sql<[string, number], NoteRow>(
    `SELECT ${noteColumns} FROM notes WHERE execution_id = ? ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, most);

const maxWritten = 1000;

/** The last notes written in a time, oldest first: of a namespace, and notes about no execution. */
export const notesWritten = (sql: Prepare, { start_time, end_time, namespace = null }: Window): NoteRow[] =>
  sql<[string, string, string | null, string | null], NoteRow>(
    `SELECT ${noteColumns} FROM notes WHERE written_at >= ? AND written_at <= ?
       AND (? IS NULL OR execution_id IS NULL OR execution_id IN (SELECT execution_id FROM workflow_executions WHERE namespace = ?))
     ORDER BY seq DESC LIMIT ${maxWritten}`,
  )
    .all(start_time, end_time, namespace, namespace)
    .toReversed();

/** Every quality set up to a time, `none` too, oldest first, from the log, which has them all. It may have been set again since. */
export const judgementsUntil = (sql: Prepare, window: Omit<Window, 'start_time'>) =>
  entriesUntil(sql, ['quality'], window).map(({ execution_id = '', value, reason, author, sender, sent_at }) => ({
    execution_id,
    value,
    reason,
    author,
    sent_by: sentBy({ author, sender }),
    set_at: sent_at,
  }));

/** The quality of a run; undefined if unset. A withdrawn quality is `none`. */
export const qualityOf = (sql: Prepare, executionId: string): QualityRow | undefined =>
  sql<[string], QualityRow>(
    'SELECT value, reason, author, sent_by, set_at FROM run_quality WHERE execution_id = ?',
  ).get(executionId);
