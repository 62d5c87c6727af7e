import { SwfError } from '../../lib/errors.ts';
import { processOfObserver } from '../observed/hearings.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A request that has waited for longer is not sent: its author has been told that it was not taken. Milliseconds. */
const requestLifetime = 60_000;

/**
 * A request that nobody takes expires in the broker after so many seconds: a runner that comes later must not begin a run of which its author has been told that it
 * was not taken.
 */
export const expirySeconds = 30;

/** A request to the programs of another testbed. */
export interface TestbedRequest {
  request_id: number;
  namespace: string;
  /** The message (JSON). */
  body: string;
}

/** Nobody may send requests to the programs of a namespace. */
export const noObserver = (namespace: string): SwfError =>
  new SwfError(
    'ARGUMENT_INVALID',
    `no observer of namespace ${JSON.stringify(namespace)} may send requests to its programs; start "swf-mcp observe --broker … --allow-control" beside this store`,
  );

/** Writes a request that an observer is to send. Throws `ARGUMENT_INVALID` where none may. @param now milliseconds since 1970 */
export function askTestbed(
  tx: Transaction,
  { namespace, body, by, now }: { namespace: string; body: object; by: string; now: number },
  isAlive: LivenessTest,
): number {
  if (processOfObserver(tx.sql, namespace, isAlive, now) === undefined) throw noObserver(namespace);
  return Number(
    tx
      .sql('INSERT INTO testbed_requests (asked_ms, asked_by, namespace, body) VALUES (?, ?, ?, ?)')
      .run(now, by, namespace, JSON.stringify(body)).lastInsertRowid,
  );
}

/**
 * The next request that is to be sent. It is marked first, so that it is sent once whatever happens: their queue is shared, and a second command would start two
 * runs.
 * @param namespaces those that the observer hears; none: all
 */
export function takeRequest(
  tx: Transaction,
  { namespaces, now }: { namespaces: readonly string[]; now: number },
): TestbedRequest | undefined {
  const row = tx
    .sql<[{ since: number; namespaces: string }], TestbedRequest>(
      `SELECT request_id, namespace, body FROM testbed_requests WHERE sent_ms IS NULL AND asked_ms > $since
         AND ($namespaces = '[]' OR namespace IN (SELECT value FROM json_each($namespaces))) ORDER BY request_id LIMIT 1`,
    )
    .get({ since: now - requestLifetime, namespaces: JSON.stringify(namespaces) });
  if (row !== undefined)
    tx.sql('UPDATE testbed_requests SET sent_ms = ? WHERE request_id = ?').run(now, row.request_id);
  return row;
}

/** Takes a request back that has not been sent. Returns whether it was still there: then it is never sent. */
export const withdrawRequest = (tx: Transaction, requestId: number): boolean =>
  tx.sql('DELETE FROM testbed_requests WHERE request_id = ? AND sent_ms IS NULL').run(requestId).changes > 0;

/** Requests of long ago are forgotten. @param before milliseconds since 1970 */
export function forgetRequests({ sql }: Pick<Transaction, 'sql'>, before: number): void {
  sql('DELETE FROM testbed_requests WHERE asked_ms < ?').run(before);
}

/** When a request was sent, in milliseconds since 1970; undefined while it was not. */
export const sentAt = (sql: Prepare, requestId: number): number | undefined =>
  sql<[number], { sent_ms: number | null }>('SELECT sent_ms FROM testbed_requests WHERE request_id = ?').get(requestId)
    ?.sent_ms ?? undefined;

/** The newest execution of this store, by its sequence: those that are heard of later come after it. */
export const newestKey = (sql: Prepare): number =>
  sql<[], { seq: number | null }>('SELECT max(seq) AS seq FROM workflow_executions').get()?.seq ?? 0;

/** The first execution of a namespace that was heard of after another one. @param after its sequence: clocks of hosts and brokers differ */
export const heardAfter = (sql: Prepare, namespace: string, after: number): string | undefined =>
  sql<[number, string], { execution_id: string }>(
    `SELECT execution_id FROM workflow_executions WHERE seq > ? AND namespace = ? AND origin = 'observed' ORDER BY seq LIMIT 1`,
  ).get(after, namespace)?.execution_id;

export const hasEnded = (sql: Prepare, executionId: string): boolean =>
  sql<[string]>(`SELECT 1 FROM workflow_executions WHERE execution_id = ? AND status <> 'running'`).get(executionId) !==
  undefined;

/** The newest execution that programs of a namespace call so: their commands mean that one. */
export const newestCalled = (
  sql: Prepare,
  namespace: string,
  toldId: string,
): { execution_id: string; status: string } | undefined =>
  sql<[string, string], { execution_id: string; status: string }>(
    `SELECT execution_id, status FROM observed_runs AS o JOIN workflow_executions USING (execution_id)
     WHERE told_id = ? AND o.namespace = ? ORDER BY first_ms DESC LIMIT 1`,
  ).get(toldId, namespace);
