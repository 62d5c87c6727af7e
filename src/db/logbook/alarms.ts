import { alarmMessageTypes, type AlarmSeverity, type AlarmState, sentBy } from '../../domain/logbook-words.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { columnsOf, type Page, type RowOf, type Texts, type Window } from '../lists/list-query.ts';
import { listRows } from '../lists/list-rows.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { entriesUntil, type Window as WrittenIn } from './people.ts';

/**
 * The current state of an alarm. `seen_sent_by`: the sender that claimed the name `seen_by`; null if the
 * sender is that person.
 */
export type AlarmRow = RowOf<'list_alarms', { raised_sentence: string; seen_sent_by: string | null }>;

const otherColumns = { sentence: 'coalesce(current_sentence, sentence)', seen_sent_by: 'seen_sent_by' };

const alarmColumns = () => columnsOf('list_alarms', 'seq', otherColumns);

export interface AlarmFilter extends Window, Texts<'execution_id' | 'namespace'> {
  state?: AlarmState | undefined;
  severity?: AlarmSeverity | undefined;
}

const ofNamespace = 'execution_id IN (SELECT execution_id FROM workflow_executions WHERE namespace = ?)';

/** Alarms in the order in which they were last raised. */
export const listAlarms = (sql: Prepare, filter: AlarmFilter, page: Page) =>
  listRows<AlarmRow>(sql, {
    select: alarmColumns(),
    from: 'alarms',
    key: 'seq',
    time: 'raised_at',
    conditions: {
      execution: ['execution_id = ?', filter.execution_id],
      state: ['state = ?', filter.state],
      severity: ['severity = ?', filter.severity],
      namespace: [ofNamespace, filter.namespace],
    },
    indexes: [
      ['alarms_execution', ['execution']],
      ['alarms_open', ['state']],
    ],
    window: filter,
    page,
  });

/** Maximum number of matching names to list if a name is ambiguous. */
const shownNames = 5;

/**
 * The alarm with the given id, or the only one whose id begins with the given text. Throws `ARGUMENT_INVALID`,
 * listing matching or similar ids, if there is none or more than one.
 */
export function alarmNamed(sql: Prepare, name: string) {
  const exact = alarmOf(sql, name);
  if (exact !== undefined) return exact;
  if (name.trim() === '') throw argumentInvalid(`the alarm name is empty; give its id, or its code`);
  const beginning = sql<AlarmRow>(
    `SELECT ${alarmColumns()} FROM alarms WHERE substr(alarm_id, 1, length(?)) = ? ORDER BY seq DESC`,
  ).all(name, name);
  // If several alarms match, ignore cleared ones.
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
  sql<AlarmRow>(`SELECT ${alarmColumns()} FROM alarms WHERE alarm_id = ?`).get(alarmId);

export const openAlarms = (sql: Prepare) =>
  sql<AlarmRow>(`SELECT ${alarmColumns()} FROM alarms WHERE state IN ('raised', 'seen')`).all();

/** Records the current sentence of a raised alarm's finding, without notifying receivers. */
export function noteSentence({ sql }: Transaction, alarmId: string, sentence: string) {
  sql(
    `UPDATE alarms SET current_sentence = nullif(?, sentence) WHERE alarm_id = ? AND coalesce(current_sentence, sentence) <> ?`,
  ).run(sentence, alarmId, sentence);
}

/**
 * The alarms in a period, in their state at the period's end, oldest first; an alarm that recurred is listed
 * for each occurrence. The table has only the last occurrence, so this reads the log. Times are ISO 8601.
 */
export function alarmsIn(sql: Prepare, { start_time, ...window }: WrittenIn) {
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
