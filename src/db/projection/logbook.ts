import { type AlarmState, sentBy } from '../../domain/logbook-words.ts';
import type { Message } from '../../messages/message.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, type LogbookProjections, none } from './effect.ts';

/** Notes, qualities and alarms. */
export const logbookProjections = {
  note: (message, { at: written, tx }) => {
    const { execution_id = null, at = written, about = null, for_next = false } = message;
    tx.sql(
      `INSERT INTO notes (message_id, execution_id, text, author, sent_by, at, about, for_next, written_at)
       VALUES ('note/' || $command_id, $execution_id, $text, $author, $sent_by, $at, $about, $for_next, $written)`,
    ).run({ ...message, execution_id, at, about, for_next: for_next ? 1 : 0, sent_by: sentBy(message), written });
    return applied;
  },

  quality: (message, { at, tx }) => {
    if (message.execution_id === undefined) return none('NO_EXECUTION', 'names no execution');
    tx.sql(
      `INSERT OR REPLACE INTO run_quality (execution_id, message_id, value, reason, author, sent_by, set_at)
       VALUES ($execution_id, 'quality/' || $command_id, $value, $reason, $author, $sent_by, $at)`,
    ).run({ ...message, sent_by: sentBy(message), at });
    return applied;
  },

  /** A recurring alarm gets a new row, so that lists show it as the newest one. */
  alarm_raised: (message, { at, tx }) => {
    const before = standing(tx, message);
    if (before !== undefined && (before.state !== 'cleared' || before.count >= message.count))
      return noStep(message, before);
    const alarm_id = idOf(message);
    const { execution_id = null } = message;
    tx.sql('DELETE FROM alarms WHERE alarm_id = ?').run(alarm_id);
    tx.sql(
      `INSERT INTO alarms (alarm_id, execution_id, code, subject, severity, state, sentence, raised_sentence, count, raised_at)
       VALUES ($alarm_id, $execution_id, $code, $subject, $severity, 'raised', $sentence, $sentence, $count, $at)`,
    ).run({ ...message, alarm_id, execution_id, at });
    return applied;
  },

  /** Even a cleared alarm may be marked as seen, since someone has to take note of it. */
  alarm_seen: (message, { at, tx }) => {
    const before = standing(tx, message);
    if (before?.count !== message.count || before.seen_by !== null) return noStep(message, before);
    tx.sql(
      `UPDATE alarms SET state = iif(state = 'raised', 'seen', state), sentence = ?, seen_by = ?, seen_sent_by = ?, seen_at = ?, seen_text = ? WHERE alarm_id = ?`,
    ).run(message.sentence, message.author, sentBy(message), at, message.text ?? null, idOf(message));
    return applied;
  },

  alarm_cleared: (message, { at, tx }) => {
    const before = standing(tx, message);
    if (before?.count !== message.count || before.state === 'cleared') return noStep(message, before);
    tx.sql(
      `UPDATE alarms SET state = 'cleared', sentence = ?, current_sentence = NULL, cleared_at = ? WHERE alarm_id = ?`,
    ).run(message.sentence, at, idOf(message));
    return applied;
  },
} satisfies LogbookProjections;

type Named = Pick<Message<'alarm_raised'>, 'code' | 'subject' | 'count'>;

const idOf = ({ code, subject }: Named) => `${code}/${subject}`;

interface Standing {
  count: number;
  state: AlarmState;
  seen_by: string | null;
}

const standing = ({ sql }: Transaction, alarm: Named) =>
  sql<Standing>('SELECT count, state, seen_by FROM alarms WHERE alarm_id = ?').get(idOf(alarm));

const noStep = (alarm: Named, before: Standing | undefined) =>
  none(
    'NO_STEP',
    before === undefined
      ? `no alarm ${idOf(alarm)} was raised`
      : `alarm ${idOf(alarm)} is ${before.state}, with count ${before.count}`,
  );
