import { objectIn } from '../../lib/read-json.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

const most = 20_000;

/** The bus messages of an execution in sending order, as swf-monitor lists them. */
export function messagesOf(sql: Prepare, executionId: string | undefined): object[] {
  if (executionId === undefined) return [];
  return sql<[string], Record<string, unknown> & { payload: string }>(
    `SELECT seq AS id, ${nameOf('type_no')} AS message_type, ${nameOf('execution_no')} AS execution_id, ${nameOf('run_no')} AS run_id,
       ${nameOf('sender_no')} AS sender_agent, destination, ${isoTime('sent_ms')} AS sent_at, body AS payload FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND destination LIKE '/topic/%' ORDER BY sent_ms, seq LIMIT ${most}`,
  )
    .all(executionId)
    .map(({ payload, ...message }) => ({ ...message, message_content: objectIn(payload) }));
}
