import { executionNotRunning } from '../../lib/errors.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

/**
 * The message that began an execution, with its whole configuration. Throws `EXECUTION_NOT_RUNNING` if this
 * store lacks the message because the execution was started elsewhere.
 */
export function startMessage(sql: Prepare, executionId: string) {
  const payload = sql<string>(
    `SELECT ${messageColumns.payload} FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no = ${numberOf(`'run_workflow'`)} AND effect = 'applied' ORDER BY seq LIMIT 1`,
  ).value(executionId);
  if (payload === undefined)
    throw executionNotRunning(`${executionId} was not started from this store and cannot be resumed here`);
  return JSON.parse(payload) as Message<'run_workflow'>;
}

/** Number of most recent rows in which to look for the newest tick. */
const newestRows = 64;

/**
 * The simulated time in seconds that an execution has reached, and when the message with that time was sent.
 * Agents' steps may be recorded slightly out of tick order, so the last few rows are checked, not only the last
 * one.
 */
export const lastTick = (sql: Prepare, executionId: string) =>
  sql<{ tick: number; sent_at: string }>(
    `SELECT CAST(simulation_tick AS REAL) AS tick, ${messageColumns.sent_at} AS sent_at FROM (
       SELECT simulation_tick, sent_ms FROM message_rows
       WHERE execution_no = ${numberOf('?')} AND effect = 'applied' AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT ${newestRows})
     WHERE simulation_tick IS NOT NULL ORDER BY tick DESC LIMIT 1`,
  ).get(executionId);

/** A namespace's running executions whose agents may be in several processes. */
export const runningOverBroker = (sql: Prepare, namespace: string) =>
  sql<string>(
    `SELECT execution_id FROM workflow_executions WHERE status = 'running' AND over_broker AND namespace = ? ORDER BY seq`,
  ).values(namespace);

/** How recent, in seconds, a resume must be to count. */
const windowSeconds = 600;

export const driverTypes = ['driver_started', 'driver_ended', 'driver_lost'] as const;

/**
 * Number of an execution's recent resumes that led to no new row.
 * @param now milliseconds since 1970
 */
export function fruitlessTakeUps(sql: Prepare, executionId: string, now = Date.now()) {
  const last = sql<number>(
    `SELECT seq FROM message_rows WHERE execution_no = ${numberOf('?')} AND effect = 'applied'
       AND type_no NOT IN ${typeNumbers(driverTypes)} AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  ).value(executionId);
  return (
    sql<number>(
      `SELECT count(*) FROM message_rows INDEXED BY message_rows_type
       WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'driver_started'`)} AND effect = 'applied' AND seq > ? AND recorded_ms >= ?
         AND ${jsonField('body', 'epoch')} > 1`,
    ).value(executionId, last ?? 0, now - windowSeconds * 1000) ?? 0
  );
}
