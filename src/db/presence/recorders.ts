import { executionInUse, SwfError } from '../../lib/errors.ts';
import { utcNow } from '../../lib/time.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { isProcessAlive, type LivenessTest, type ProcessSigns, signColumns } from './leases.ts';

interface Recorder extends ProcessSigns {
  /** 1 if the process observes other programs. */
  observes: number;
}

/** The live process that records a namespace in this store. */
export function recorderOf(sql: Prepare, namespace: string, isAlive: LivenessTest) {
  const recorder = sql<Recorder>(
    `SELECT ${signColumns}, process_id IN (SELECT process_id FROM hearings) AS observes
     FROM recorders JOIN processes USING (process_id) WHERE namespace = ? AND ended IS NULL`,
  ).get(namespace);
  return recorder !== undefined && isProcessAlive(recorder, isAlive) ? recorder : undefined;
}

/**
 * Makes a process the recorder of a namespace over a broker. Throws `EXECUTION_IN_USE` while another recorder
 * is alive, since each of the two would get half of the messages, and `NAMESPACE_IN_USE` while an observer
 * observes other programs in the namespace.
 */
export function becomeRecorder(tx: Transaction, namespace: string, processId: number, isAlive: LivenessTest) {
  const recorder = recorderOf(tx.sql, namespace, isAlive);
  if (recorder?.observes === 1)
    throw new SwfError(
      'NAMESPACE_IN_USE',
      `process ${recorder.pid} on ${recorder.hostname} is recording other programs in namespace ${namespace} for this store; use another namespace`,
    );
  if (recorder !== undefined)
    throw executionInUse(
      `process ${recorder.pid} on ${recorder.hostname} already records namespace ${namespace} in this store; wait until it ends, or use another store or namespace`,
    );
  takeNamespace(tx, namespace, processId);
}

function takeNamespace({ sql }: Transaction, namespace: string, processId: number) {
  sql(
    `INSERT INTO recorders (namespace, process_id) VALUES (?, ?)
     ON CONFLICT (namespace) DO UPDATE SET process_id = excluded.process_id, broker_away_since = NULL`,
  ).run(namespace, processId);
}

/**
 * Assigns an observer a namespace in which it observes other programs, unless a live process records the
 * namespace.
 */
export function claimNamespace(tx: Transaction, namespace: string, processId: number, isAlive: LivenessTest) {
  if (recorderOf(tx.sql, namespace, isAlive) === undefined) takeNamespace(tx, namespace, processId);
}

/** Whether a process of this store has ever recorded a namespace over a broker. */
export const hasRecorded = (sql: Prepare, namespace: string) =>
  sql('SELECT 1 FROM recorders WHERE namespace = ?').has(namespace);

/**
 * Whether an earlier check received nothing from other programs in a namespace on a broker.
 * @param broker its address and the topics
 */
export const isKnownNamespace = (sql: Prepare, namespace: string, broker: string) =>
  sql('SELECT 1 FROM known_namespaces WHERE namespace = ? AND broker = ?').has(namespace, broker);

/** Records that nothing was received from other programs in a namespace. */
export function noteKnownNamespace({ sql }: Transaction, namespace: string, broker: string) {
  const note = 'INSERT OR IGNORE INTO known_namespaces (namespace, broker, listened_at) VALUES (?, ?, ?)';
  sql(note).run(namespace, broker, utcNow());
}

/** Records when the recorder of a namespace lost its broker, ISO 8601; `undefined` if it is connected. */
export function noteBrokerAway({ sql }: Transaction, namespace: string, since: string | undefined) {
  sql('UPDATE recorders SET broker_away_since = ? WHERE namespace = ?').run(since ?? null, namespace);
}

/**
 * When the recorder of a namespace lost its broker, in ISO 8601; undefined if the recorder is connected, or if
 * there is none.
 */
export const brokerAwaySince = (sql: Prepare, namespace: string) =>
  sql<string | null>(
    `SELECT broker_away_since FROM recorders JOIN processes USING (process_id) WHERE namespace = ? AND ended IS NULL`,
  ).value(namespace) ?? undefined;

/**
 * Accepted requests that a broker without message ids may deliver again, since it has not confirmed their
 * acknowledgement.
 */
export const requestsInHand = (sql: Prepare, namespace: string) =>
  sql<string>('SELECT request_id FROM requests_in_hand WHERE namespace = ? ORDER BY taken_ms').values(namespace);

/** The longest time until a broker drops a silent connection and redelivers its messages, in milliseconds. */
const heldMilliseconds = 600_000;

/**
 * Records a request at its first delivery. The broker would have delivered older requests before this one,
 * unless it still held them for a dead connection. So this forgets old requests, and requests with the same
 * content: starting two executions is better than starting none.
 */
export function noteRequestInHand({ sql }: Transaction, namespace: string, id: string) {
  const now = Date.now();
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND taken_ms < ?').run(namespace, now - heldMilliseconds);
  const [words = ''] = id.split('/', 1);
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id GLOB ?').run(namespace, `${words}/*`);
  const take = 'INSERT INTO requests_in_hand (namespace, request_id, taken_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
  sql(take).run(namespace, id, now);
}

/** Forgets a request that the broker has confirmed it will not deliver again. */
export function forgetRequestInHand({ sql }: Transaction, namespace: string, id: string) {
  sql('DELETE FROM requests_in_hand WHERE namespace = ? AND request_id = ?').run(namespace, id);
}
