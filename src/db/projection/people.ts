import { sentBy } from '../../domain/logbook-words.ts';
import { applied, type LogbookProjection, none } from './effect.ts';

export const note: LogbookProjection<'note'> = (message, { at: written, tx }) => {
  const { command_id, execution_id, text, author, at = written, about, for_next = false } = message;
  tx.sql(
    `INSERT INTO notes (message_id, execution_id, text, author, sent_by, at, about, for_next, written_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    `note/${command_id}`,
    execution_id ?? null,
    text,
    author,
    sentBy(message),
    at,
    about ?? null,
    for_next ? 1 : 0,
    written,
  );
  return applied;
};

export const quality: LogbookProjection<'quality'> = (message, { at, tx }) => {
  const { command_id, execution_id, value, reason, author } = message;
  if (execution_id === undefined) return none('NO_EXECUTION', 'names no execution');
  tx.sql(
    `INSERT OR REPLACE INTO run_quality (execution_id, message_id, value, reason, author, sent_by, set_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(execution_id, `quality/${command_id}`, value, reason, author, sentBy(message), at);
  return applied;
};
