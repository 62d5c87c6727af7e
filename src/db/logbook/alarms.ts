import { alarmMessageTypes, type AlarmSeverity, type AlarmState, sentBy } from '../../domain/logbook-words.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { entriesUntil, type Window } from './people.ts';

/** An alarm's current state. Times are ISO 8601. */
export interface AlarmRow {
  key: number;
  alarm_id: string;
  execution_id: string | null;
  code: string;
  subject: string;
  severity: AlarmSeverity;
  state: AlarmState;
  /** The present sentence of its finding; of a cleared alarm, the last one. */
  sentence: string;
  /** The sentence with which it was raised. */
  raised_sentence: string;
  count: number;
  raised_at: string;
  seen_by: string | null;
  /** The sender that claims that name; null if it is `seen_by`. */
  seen_sent_by: string | null;
  seen_at: string | null;
  seen_text: string | null;
  cleared_at: string | null;
}

export const alarmColumns =
  'seq AS key, alarm_id, execution_id, code, subject, severity, state, coalesce(current_sentence, sentence) AS sentence, raised_sentence, count, raised_at, seen_by, seen_sent_by, seen_at, seen_text, cleared_at';

/** Most names to list for an ambiguous one. */
const shownNames = 5;

/**
 * The alarm with a name: its id, or a prefix that no other alarm has. Throws `ARGUMENT_INVALID` with similar
 * ids.
 */
export function alarmNamed(sql: Prepare, name: string): AlarmRow {
  const exact = alarmOf(sql, name);
  if (exact !== undefined) return exact;
  if (name.trim() === '') throw argumentInvalid(`the alarm name is empty; give its id, or its code`);
  const beginning = sql<AlarmRow>(
    `SELECT ${alarmColumns} FROM alarms WHERE substr(alarm_id, 1, length(?)) = ? ORDER BY seq DESC`,
  ).all(name, name);
  // If there are several, a cleared alarm is not meant.
  const open = beginning.filter(({ state }) => state !== 'cleared');
  const fitting = open.length === 0 ? beginning : open;
  const [meant] = fitting;
  if (meant !== undefined && fitting.length === 1) return meant;
  if (meant !== undefined) {
    const shown = fitting.slice(0, shownNames).map((one) => one.alarm_id);
    throw argumentInvalid(
      `${fitting.length} alarms begin with ${JSON.stringify(name)}: ${shown.join(', ')}; give more of the id`,
    );
  }
  const known = sql<string>('SELECT alarm_id FROM alarms ORDER BY seq DESC LIMIT 500').values();
  throw argumentInvalid(
    known.length === 0
      ? `there is no alarm ${JSON.stringify(name)}, and none has been raised yet; "swf-mcp watch" raises them`
      : `there is no alarm ${JSON.stringify(name)}; the nearest: ${nearest(name, known).join(', ')}`,
  );
}

export const alarmOf = (sql: Prepare, alarmId: string) =>
  sql<AlarmRow>(`SELECT ${alarmColumns} FROM alarms WHERE alarm_id = ?`).get(alarmId);

export const openAlarms = (sql: Prepare) =>
  sql<AlarmRow>(`SELECT ${alarmColumns} FROM alarms WHERE state IN ('raised', 'seen')`).all();

/** Records the present sentence of a raised alarm's finding, without notifying receivers. */
export function noteSentence({ sql }: Transaction, alarmId: string, sentence: string) {
  sql(
    `UPDATE alarms SET current_sentence = nullif(?, sentence) WHERE alarm_id = ? AND coalesce(current_sentence, sentence) <> ?`,
  ).run(sentence, alarmId, sentence);
}

/**
 * The alarms of a period in their state at its end, oldest first; a recurring alarm is listed for each
 * occurrence. The table has only the last one, so this reads the log. Times are ISO 8601.
 */
export function alarmsIn(sql: Prepare, { start_time, ...window }: Window): AlarmRow[] {
  const alarms = new Map<string, AlarmRow>();
  for (const entry of entriesUntil(sql, alarmMessageTypes, window)) take(alarms, entry);
  return [...alarms.values()].filter(({ cleared_at }) => cleared_at === null || cleared_at >= start_time);
}

type Change = ReturnType<typeof entriesUntil<(typeof alarmMessageTypes)[number]>>[number];

function take(alarms: Map<string, AlarmRow>, said: Change) {
  const { execution_id = null, code, subject, severity, sentence, count, sent_at } = said;
  const alarm_id = `${code}/${subject}`;
  const life = `${alarm_id}/${count}`;
  const before = alarms.get(life);
  if (said.msg_type === 'alarm_raised') {
    const none = { seen_by: null, seen_sent_by: null, seen_at: null, seen_text: null, cleared_at: null };
    const content = { alarm_id, execution_id, code, subject, severity, sentence, raised_sentence: sentence, count };
    alarms.set(life, { key: alarms.size, ...content, ...none, state: 'raised', raised_at: sent_at });
  } else if (before !== undefined && said.msg_type === 'alarm_seen') {
    const seen = { seen_by: said.author, seen_sent_by: sentBy(said), seen_at: sent_at, seen_text: said.text ?? null };
    alarms.set(life, { ...before, ...seen, sentence, state: before.state === 'cleared' ? 'cleared' : 'seen' });
  } else if (before !== undefined) alarms.set(life, { ...before, sentence, state: 'cleared', cleared_at: sent_at });
}
