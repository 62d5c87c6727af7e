import { objectIn } from '../../lib/read-json.ts';
import type { Prepare } from '../sqlite/statements.ts';

const most = 20_000;

/** The messages of the bus in an execution, in the order in which they were sent, as swf-monitor lists them. */
export function messagesOf(sql: Prepare, executionId: string | undefined): object[] {
  if (executionId === undefined) return [];
  return sql<[string], Record<string, unknown> & { payload: string }>(
    `SELECT seq AS id, message_type, namespace, execution_id, run_id, sender_agent, destination, sent_at, payload FROM workflow_messages
     WHERE execution_id = ? AND destination LIKE '/topic/%' ORDER BY sent_at, seq LIMIT ${most}`,
  )
    .all(executionId)
    .map(({ payload, ...message }) => ({ ...message, message_content: objectIn(payload) }));
}
