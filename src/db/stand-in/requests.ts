import { argumentInvalid } from '../../lib/errors.ts';
import { processOfObserver } from '../observed/hearings.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/**
 * A request that has waited for longer than this many milliseconds is not sent, since its author has been told
 * that it was not accepted.
 */
const requestLifetime = 60_000;

/**
 * The seconds after which an unaccepted request expires in the broker. A runner that starts later must not
 * begin a run whose author has been told that the request was not accepted.
 */
export const expirySeconds = 30;

/** A request to the programs of an observed testbed. */
export interface TestbedRequest {
  request_id: number;
  namespace: string;
  /** The message as JSON. */
  body: string;
}

/** The error if no observer may send requests to a namespace's programs. */
export const noObserver = (namespace: string) =>
  argumentInvalid(
    `no observer of namespace ${JSON.stringify(namespace)} is allowed to send requests to its programs; start "swf-mcp observe --broker … --allow-control" with this store`,
  );

/**
 * Records a request for an observer to send. Throws `ARGUMENT_INVALID` if no observer may send it.
 * @param now milliseconds since 1970
 */
export function askTestbed(
  tx: Transaction,
  { namespace, body, by, now }: { namespace: string; body: object; by: string; now: number },
  isAlive: LivenessTest,
) {
  if (processOfObserver(tx.sql, namespace, isAlive, now) === undefined) throw noObserver(namespace);
  const ask = tx.sql('INSERT INTO testbed_requests (asked_ms, asked_by, namespace, body) VALUES (?, ?, ?, ?)');
  return Number(ask.run(now, by, namespace, JSON.stringify(body)).lastInsertRowid);
}

/**
 * The next request to send. It is marked before it is sent, so that it is never sent twice: the queue is
 * shared, and a second command would start a second run.
 * @param namespaces the namespaces that the observer records; if empty, all
 */
export function takeRequest({ sql }: Transaction, namespaces: readonly string[], now: number) {
  const row = sql<TestbedRequest>(
    `SELECT request_id, namespace, body FROM testbed_requests WHERE sent_ms IS NULL AND asked_ms > $since
       AND ($namespaces = '[]' OR namespace IN (SELECT value FROM json_each($namespaces))) ORDER BY request_id LIMIT 1`,
  ).get({ since: now - requestLifetime, namespaces: JSON.stringify(namespaces) });
  if (row !== undefined) sql('UPDATE testbed_requests SET sent_ms = ? WHERE request_id = ?').run(now, row.request_id);
  return row;
}

/** Withdraws a request unless it has been sent. Returns whether it was withdrawn; if so, it will never be sent. */
export const withdrawRequest = (tx: Transaction, requestId: number) =>
  tx.sql('DELETE FROM testbed_requests WHERE request_id = ? AND sent_ms IS NULL').run(requestId).changes > 0;

/** Deletes old requests. @param before milliseconds since 1970 */
export function forgetRequests({ sql }: Pick<Transaction, 'sql'>, before: number) {
  sql('DELETE FROM testbed_requests WHERE asked_ms < ?').run(before);
}

/** When a request was sent, in milliseconds since 1970; undefined if it has not been sent. */
export const sentAt = (sql: Prepare, requestId: number) =>
  sql<number | null>('SELECT sent_ms FROM testbed_requests WHERE request_id = ?').value(requestId) ?? undefined;

/**
 * The sequence number of the store's newest execution. Executions that become known later have higher
 * numbers.
 */
export const newestKey = (sql: Prepare) => sql<number | null>('SELECT max(seq) FROM workflow_executions').value() ?? 0;

/**
 * The first execution in a namespace to become known after another execution.
 * @param after the other execution's sequence number; times are not used, since the clocks of hosts and brokers
 * differ
 */
export const heardAfter = (sql: Prepare, namespace: string, after: number) =>
  sql<string>(
    `SELECT execution_id FROM workflow_executions AS e JOIN observed_runs USING (execution_id)
     WHERE e.seq > ? AND e.namespace = ? ORDER BY e.seq LIMIT 1`,
  ).value(after, namespace);

export const hasEnded = (sql: Prepare, executionId: string) =>
  sql(`SELECT 1 FROM workflow_executions WHERE execution_id = ? AND status NOT IN ('running', 'unknown')`).has(
    executionId,
  );

/** The newest execution that a namespace's programs know by this id; their commands refer to that execution. */
export const newestCalled = (sql: Prepare, namespace: string, toldId: string) =>
  sql<{ execution_id: string; status: string }>(
    `SELECT execution_id, status FROM observed_runs AS o JOIN workflow_executions USING (execution_id)
     WHERE told_id = ? AND o.namespace = ? ORDER BY first_ms DESC LIMIT 1`,
  ).get(toldId, namespace);
