import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/**
 * Requests that were taken and that a broker without ids of messages may deliver again, since it has not confirmed their acknowledgement.
 */
export const requestsInHand = (sql: Prepare, namespace: string): string[] =>
  sql<[string], { request_id: string }>('SELECT request_id FROM requests_in_hand WHERE namespace = ? ORDER BY taken_ms')
    .all(namespace)
    .map(({ request_id }) => request_id);

/** A broker gives a connection up that says nothing, and delivers again what it had, within so many milliseconds. */
const heldMilliseconds = 600_000;

/**
 * Notes a request that is delivered for the first time. The broker would have delivered older ones before it, unless it still held them for a connection
 * that is gone. So those of long ago are forgotten, and those with the same words: better two executions than none.
 */
export function noteRequestInHand({ sql }: Transaction, namespace: string, id: string): void {
  const now = Date.now();
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND taken_ms < ?').run(namespace, now - heldMilliseconds);
  const [words = ''] = id.split('/', 1);
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id GLOB ?').run(namespace, `${words}/*`);
  sql('INSERT INTO requests_in_hand (namespace, request_id, taken_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(
    namespace,
    id,
    now,
  );
}

/** The broker has confirmed that it will not deliver a request again. */
export function forgetRequestInHand({ sql }: Transaction, namespace: string, id: string): void {
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id = ?').run(namespace, id);
}
