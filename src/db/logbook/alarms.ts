import type { AlarmSeverity, AlarmState } from '../../domain/logbook-words.ts';
import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { decodeRecorded } from '../../messages/codec.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** An alarm as it stands. Times are ISO 8601. */
export interface AlarmRow {
  key: number;
  alarm_id: string;
  execution_id: string | null;
  code: string;
  subject: string;
  severity: AlarmSeverity;
  state: AlarmState;
  sentence: string;
  count: number;
  raised_at: string;
  seen_by: string | null;
  seen_at: string | null;
  seen_text: string | null;
  cleared_at: string | null;
}

export const alarmColumns =
  'seq AS key, alarm_id, execution_id, code, subject, severity, state, sentence, count, raised_at, seen_by, seen_at, seen_text, cleared_at';

/** Names that are told where one is of several. */
const shownNames = 5;

/** The alarm of a name: its id, or the beginning of one that no other alarm has. Throws `ARGUMENT_INVALID` with those that come near. */
export function alarmNamed(sql: Prepare, name: string): AlarmRow {
  const exact = alarmOf(sql, name);
  if (exact !== undefined) return exact;
  const beginning = sql<[string, string], AlarmRow>(
    `SELECT ${alarmColumns} FROM alarms WHERE substr(alarm_id, 1, length(?)) = ? ORDER BY seq DESC`,
  ).all(name, name);
  // Of several one that is over is not meant.
  const open = beginning.filter(({ state }) => state !== 'cleared');
  const [meant, ...others] = open.length === 0 ? beginning : open;
  if (meant !== undefined && others.length === 0) return meant;
  if (meant !== undefined)
    throw new SwfError(
      'ARGUMENT_INVALID',
      `${beginning.length} alarms begin with ${JSON.stringify(name)}: ${beginning
        .slice(0, shownNames)
        .map((one) => one.alarm_id)
        .join(', ')}; give more of the id`,
    );
  const known = sql<[], { alarm_id: string }>('SELECT alarm_id FROM alarms ORDER BY seq DESC LIMIT 500')
    .all()
    .map((row) => row.alarm_id);
  throw new SwfError(
    'ARGUMENT_INVALID',
    known.length === 0
      ? `there is no alarm ${JSON.stringify(name)}, and none was raised yet; "swf-mcp watch" raises them`
      : `there is no alarm ${JSON.stringify(name)}; near it: ${nearest(name, known).join(', ')}`,
  );
}

export const alarmOf = (sql: Prepare, alarmId: string): AlarmRow | undefined =>
  sql<[string], AlarmRow>(`SELECT ${alarmColumns} FROM alarms WHERE alarm_id = ?`).get(alarmId);

/** The alarms that are not over, newest first. @param most rows */
export const openAlarms = (sql: Prepare, most = 1000): AlarmRow[] =>
  sql<[number], AlarmRow>(
    `SELECT ${alarmColumns} FROM alarms WHERE state IN ('raised', 'seen') ORDER BY seq DESC LIMIT ?`,
  ).all(most);

/** A change of an alarm, as the log has it. */
interface AlarmMessage {
  message_type: string;
  execution_id: string | null;
  sent_at: string;
  payload: string;
}

const alarmTypes = ['alarm_raised', 'alarm_seen', 'alarm_cleared'];

/**
 * The alarms that stood in a time, as they stood at its end; oldest first. One that came back since is another row of the table, so they are read from the
 * log. Times are ISO 8601.
 */
export function alarmsIn(
  sql: Prepare,
  { start_time, end_time, namespace }: { start_time: string; end_time: string; namespace?: string | undefined },
): AlarmRow[] {
  const messages = sql<[string, string | null, string | null], AlarmMessage>(
    `SELECT ${messageColumns.message_type} AS message_type, ${messageColumns.execution_id} AS execution_id, ${messageColumns.sent_at} AS sent_at, ${messageColumns.payload} AS payload
     FROM message_rows INDEXED BY message_rows_logbook
     WHERE ${indexPredicates.logbook} AND type_no IN ${typeNumbers(alarmTypes)} AND effect = 'applied' AND sent_ms <= ${milliseconds('?')}
       AND (? IS NULL OR namespace_no = ${numberOf('?')}) ORDER BY seq`,
  ).all(end_time, namespace ?? null, namespace ?? null);
  const alarms = new Map<string, AlarmRow>();
  for (const message of messages) take(alarms, message);
  return [...alarms.values()].filter(({ cleared_at }) => cleared_at === null || cleared_at >= start_time);
}

function take(alarms: Map<string, AlarmRow>, { message_type, execution_id, sent_at, payload }: AlarmMessage): void {
  const said = decodeRecorded(payload) as Message<'alarm_raised' | 'alarm_seen'>;
  const { code, subject, severity, sentence, count } = said;
  const alarm_id = `${code}/${subject}`;
  const before = alarms.get(alarm_id);
  if (message_type === 'alarm_raised') {
    const none = { seen_by: null, seen_at: null, seen_text: null, cleared_at: null };
    const content = { alarm_id, execution_id, code, subject, severity, sentence, count };
    alarms.delete(alarm_id);
    alarms.set(alarm_id, { key: alarms.size, ...content, ...none, state: 'raised', raised_at: sent_at });
  } else if (before !== undefined && said.msg_type === 'alarm_seen') {
    const state = before.state === 'cleared' ? 'cleared' : 'seen';
    alarms.set(alarm_id, { ...before, state, seen_by: said.author, seen_at: sent_at, seen_text: said.text ?? null });
  } else if (before !== undefined) alarms.set(alarm_id, { ...before, state: 'cleared', cleared_at: sent_at });
}
