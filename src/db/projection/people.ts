import { sentBy } from '../../domain/logbook-words.ts';
import { applied, type LogbookProjection, none } from './effect.ts';

export const note: LogbookProjection<'note'> = (message, { at: written, tx }) => {
  const { command_id, execution_id = null, text, author, at = written, about = null, for_next = false } = message;
  const [id, forNext] = [`note/${command_id}`, for_next ? 1 : 0];
  tx.sql(
    `INSERT INTO notes (message_id, execution_id, text, author, sent_by, at, about, for_next, written_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(id, execution_id, text, author, sentBy(message), at, about, forNext, written);
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
