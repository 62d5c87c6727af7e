import { headColumns, type MessageHead } from '../lists/messages.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

export function lastMessage(sql: Prepare, executionId: string): { message_id: string; sent_at: string } | undefined {
  return sql<[string], { message_id: string; sent_at: string }>(
    'SELECT message_id, sent_at FROM workflow_messages WHERE execution_id = ? ORDER BY seq DESC LIMIT 1',
  ).get(executionId);
}

/** The newest messages that tell the story of an execution: its phases, commands and end. */
export function lastLandmarks(sql: Prepare, executionId: string, limit: number): MessageHead[] {
  return newest(sql, executionId, indexPredicates.landmark, limit);
}

/** The newest messages that cannot be read or contradict an earlier one. */
export function lastTroubledMessages(sql: Prepare, executionId: string, limit: number): MessageHead[] {
  return newest(sql, executionId, indexPredicates.troubled, limit);
}

function newest(sql: Prepare, executionId: string, condition: string, limit: number): MessageHead[] {
  return sql<[string, number], MessageHead>(
    `SELECT ${headColumns} FROM workflow_messages WHERE execution_id = ? AND ${condition} ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);
}

/** How many messages there are of a kind, and the newest of them. */
export interface SomeMessages {
  count: number;
  ids: string[];
}

/** Messages that cannot be read or contradict an earlier one. */
export function refusedMessages(sql: Prepare, executionId: string, named: number): SomeMessages {
  return someMessages(sql, executionId, indexPredicates.troubled, named);
}

/** Messages that wait for an earlier one. */
export function waitingMessages(sql: Prepare, executionId: string, named: number): SomeMessages {
  return someMessages(sql, executionId, indexPredicates.awaiting, named);
}

/** More are not counted. */
const mostCounted = 1000;

function someMessages(sql: Prepare, executionId: string, condition: string, named: number): SomeMessages {
  const count = sql<[string, number], { n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM workflow_messages WHERE execution_id = ? AND ${condition} LIMIT ?)`,
  ).get(executionId, mostCounted)?.n;
  if (count === undefined || count === 0) return { count: 0, ids: [] };
  return { count, ids: newest(sql, executionId, condition, named).map(({ message_id }) => message_id) };
}
