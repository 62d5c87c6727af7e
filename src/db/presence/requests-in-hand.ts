import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Accepted requests that a broker without message ids may deliver again, since it has not confirmed their acknowledgement. */
export const requestsInHand = (sql: Prepare, namespace: string): string[] =>
  sql<[string], string>('SELECT request_id FROM requests_in_hand WHERE namespace = ? ORDER BY taken_ms').values(
    namespace,
  );

/** How soon a broker drops a silent connection and redelivers its messages, in milliseconds. */
const heldMilliseconds = 600_000;

/**
 * Notes a request at its first delivery. The broker would have delivered older ones before it, unless it still held them for a dead connection. So
 * this forgets old requests, and requests with the same words: better two executions than none.
 */
export function noteRequestInHand({ sql }: Transaction, namespace: string, id: string): void {
  const now = Date.now();
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND taken_ms < ?').run(namespace, now - heldMilliseconds);
  const [words = ''] = id.split('/', 1);
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id GLOB ?').run(namespace, `${words}/*`);
  const take = 'INSERT INTO requests_in_hand (namespace, request_id, taken_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
  sql(take).run(namespace, id, now);
}

/** Forgets a request that the broker has confirmed not to deliver again. */
export function forgetRequestInHand({ sql }: Transaction, namespace: string, id: string): void {
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id = ?').run(namespace, id);
}
