import { destinationOf, messageTypes } from '../../messages/vocabulary.ts';
import { fullId, nameOf } from './names.ts';

/**
 * As SQL: converts milliseconds since 1970 to ISO 8601 in UTC, the form in which times are shown and
 * compared.
 */
export const isoTime = (milliseconds: string) =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${milliseconds} / 1000.0, 'unixepoch')`;

/** As SQL: the inverse of `isoTime`. */
export const milliseconds = (iso: string) => `CAST(round(unixepoch(${iso}, 'subsec') * 1000) AS INTEGER)`;

/** As SQL: the columns of the envelope. Rows store most of the values as numbers of names. */
const envelope = {
  message_id: fullId('short_id'),
  message_type: nameOf('type_no'),
  sender_agent: nameOf('sender_no'),
  namespace: nameOf('namespace_no'),
  execution_id: nameOf('execution_no'),
  run_id: nameOf('run_no'),
} as const;

/**
 * As SQL: the columns that the view `workflow_messages` adds to a row of the log. (Generated columns would do
 * the same, but SQLite computes them at each insert, even virtual ones.)
 */
export const messageColumns = {
  ...envelope,
  /** Only an unusual destination is stored. */
  destination: `coalesce(destination, CASE ${envelope.message_type} ${messageTypes
    .map((type) => `WHEN '${type}' THEN '${destinationOf(type)}'`)
    .join(' ')} END)`,
  sent_at: isoTime('sent_ms'),
  recorded_at: isoTime('recorded_ms'),
  /**
   * The message as sent, byte for byte. The columns contain the envelope, so most bodies are stored without
   * it (`db/log/rows.ts` cuts it off); a body with an unusual envelope is stored whole.
   */
  payload: `CASE WHEN is_whole THEN body ELSE
    '{"msg_type":"' || ${envelope.message_type} || '"' || iif(body = '{}', '', ',' || substr(body, 2, length(body) - 2)) ||
    ',"sender":"' || ${envelope.sender_agent} || '","namespace":"' || ${envelope.namespace} ||
    '","execution_id":"' || ${envelope.execution_id} || '","run_id":"' || ${envelope.run_id} || '","timestamp":"' || ${isoTime('sent_ms')} || '"' ||
    coalesce(',"simulation_tick":' || simulation_tick, '') || ',"message_id":"' || ${envelope.message_id} || '"}' END`,
} as const;
