import type { MessageFilter } from './messages.ts';
import type { Prepare } from './statements.ts';

/** The messages of an execution by type, those without effect too. */
export type MessageCounts = ReadonlyMap<string, number>;

export type MessageCounter = (executionId: string) => MessageCounts;

interface Known {
  /** Every message up to this one is counted. */
  upTo: number;
  counts: Map<string, number>;
}

/** Executions whose counts are remembered. */
const remembered = 100;

/**
 * Counts an execution's messages, each only once a connection: between two prunings the log only grows, so a later count goes on where the one
 * before has ended. Counting a long log anew would take longer than all the rest of an answer.
 */
export function createMessageCounter(sql: Prepare): MessageCounter {
  const known = new Map<string, Known>();
  let pruned: string | undefined;
  return (executionId) => {
    const now = sql<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'prunes'`).get()?.value;
    if (now !== pruned) known.clear();
    pruned = now;
    const before = known.get(executionId) ?? { upTo: 0, counts: new Map<string, number>() };
    // The whole log is counted by the index that has its types; a little of it is found faster by its sequence.
    const index = before.upTo === 0 ? 'workflow_messages_type' : 'workflow_messages_execution';
    const rows = sql<[string, number], { message_type: string; n: number; newest: number }>(
      `SELECT message_type, count(*) AS n, max(seq) AS newest FROM workflow_messages INDEXED BY ${index}
       WHERE execution_id = ? AND seq > ? GROUP BY message_type`,
    ).all(executionId, before.upTo);
    for (const { message_type, n, newest } of rows) {
      before.counts.set(message_type, (before.counts.get(message_type) ?? 0) + n);
      before.upTo = Math.max(before.upTo, newest);
    }
    known.delete(executionId);
    known.set(executionId, before);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
    return before.counts;
  };
}

export function sumOf(counts: MessageCounts): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}

/** How many messages fit a filter that asks for an execution, or for one type of it; undefined where they must be counted. */
export function totalOf(filter: MessageFilter, counter: MessageCounter): number | undefined {
  const { execution_id, message_type, ...rest } = filter;
  const { run_id, namespace, agent, message_id, effect, search, start_time, end_time } = rest;
  const others = [run_id, namespace, agent, message_id, effect, search, start_time, end_time];
  if (execution_id === undefined || others.some((value) => value !== undefined)) return undefined;
  const counts = counter(execution_id);
  return message_type === undefined ? sumOf(counts) : (counts.get(message_type) ?? 0);
}
