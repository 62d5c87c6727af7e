import { livenessOf } from '../../domain/liveness.ts';
import { alarmMessageTypes } from '../../domain/logbook-words.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns, milliseconds } from '../migrations/message-columns.ts';
import { typeNumbers } from '../migrations/names.ts';
import { isProcessAlive, type LivenessTest, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** How far back the first watcher looks, in milliseconds: executions of the last shift still matter. */
const firstLook = 8 * 3_600_000;

type WatcherRow = ProcessSigns & { process_id: number; ended: string | null; looked_ms: number };

const watcherOf = (sql: Prepare) =>
  sql<WatcherRow>(
    `SELECT process_id, ${signColumns}, ended, looked_ms FROM watchers JOIN processes USING (process_id)`,
  ).get();

const isAtWork = (watcher: WatcherRow, isAlive: LivenessTest) =>
  watcher.ended === null && isProcessAlive(watcher, isAlive);

/**
 * Makes a process the watcher. Returns false while another watcher is alive.
 * @param now milliseconds since 1970
 */
export function becomeWatcher(tx: Transaction, processId: number, isAlive: LivenessTest, now: number) {
  const before = watcherOf(tx.sql);
  if (before?.process_id === processId) return true;
  if (before !== undefined && isAtWork(before, isAlive)) return false;
  tx.sql(
    `INSERT INTO watchers (one, process_id, looked_ms) VALUES (1, ?, ?)
     ON CONFLICT (one) DO UPDATE SET process_id = excluded.process_id`,
  ).run(processId, now - firstLook);
  return true;
}

/** Whether a process is still the watcher. Checked in every transaction in which it writes as the watcher. */
export const isWatcher = (sql: Prepare, processId: number) => watcherOf(sql)?.process_id === processId;

/** When the watcher last checked executions, in milliseconds since 1970. */
export const lastLook = (sql: Prepare) => watcherOf(sql)?.looked_ms ?? 0;

export function noteLook({ sql }: Transaction, now: number) {
  sql('UPDATE watchers SET looked_ms = ?').run(now);
}

/**
 * Whether a watcher is running; undefined if there has never been one. A watcher that missed its heartbeats
 * does not count as running.
 * @param now milliseconds since 1970
 */
export function isWatched(sql: Prepare, isAlive: LivenessTest, now: number) {
  const watcher = watcherOf(sql);
  return watcher && isAtWork(watcher, isAlive) && livenessOf(watcher.last_beat, now) !== 'gone';
}

/** A finding that may become an alarm, or an alarm that may be cleared. Times are in milliseconds since 1970. */
interface Candidate {
  alarm_id: string;
  execution_id: string;
  found_ms: number | null;
  gone_ms: number | null;
}

export const candidates = (sql: Prepare) =>
  sql<Candidate>('SELECT alarm_id, execution_id, found_ms, gone_ms FROM alarm_candidates').all();

export function keepCandidate({ sql }: Transaction, { alarm_id, execution_id, found_ms, gone_ms }: Candidate) {
  const keep =
    'INSERT OR REPLACE INTO alarm_candidates (alarm_id, execution_id, found_ms, gone_ms) VALUES (?, ?, ?, ?)';
  sql(keep).run(alarm_id, execution_id, found_ms, gone_ms);
}

export function dropCandidate({ sql }: Transaction, alarmId: string) {
  sql('DELETE FROM alarm_candidates WHERE alarm_id = ?').run(alarmId);
}

/** When an execution ended, and whether a person has set its quality; undefined while it runs. */
export function endedExecution(sql: Prepare, executionId: string) {
  const row = sql<{ end_time: string | null; is_judged: number }>(
    `SELECT end_time, EXISTS (SELECT 1 FROM run_quality AS q WHERE q.execution_id = e.execution_id AND value <> 'none') AS is_judged
     FROM workflow_executions AS e WHERE execution_id = ? AND status <> 'running'`,
  ).get(executionId);
  return row && { end_time: row.end_time, isJudged: row.is_judged === 1 };
}

/** How long after an ended run's last message PanDA may still be processing the run's files, in milliseconds. */
const patience = 24 * 3_600_000;

/**
 * Executions to watch: those that are running, those that ended or were last heard from after a given time,
 * those whose files a site may still be processing, and those with open alarms.
 * @param since ISO 8601
 */
export const watchedExecutions = (sql: Prepare, since: string) =>
  sql<string>(
    `SELECT execution_id FROM workflow_executions AS e WHERE status = 'running' OR end_time >= $since
       OR (end_time IS NULL AND ${milliseconds('$since')} <= (
         SELECT last_ms FROM observed_runs AS o WHERE o.execution_id = e.execution_id))
       OR execution_id IN (SELECT execution_id FROM observed_runs AS o WHERE last_ms >= ${milliseconds('$since')} - ${patience}
         AND EXISTS (SELECT 1 FROM stf_sites AS s WHERE s.execution_id = o.execution_id AND s.status IN ('registered', 'processing')))
       OR execution_id IN (SELECT execution_id FROM alarms WHERE state IN ('raised', 'seen') UNION SELECT execution_id FROM alarm_candidates)
     ORDER BY seq`,
  ).values({ since });

/** A change of an alarm that has not been delivered to a receiver yet. */
export interface Undelivered {
  seq: number;
  message_id: string;
  payload: string;
}

/** Registers a receiver. A new receiver gets only later changes. @param receiver a digest */
export function knowReceiver({ sql }: Transaction, receiver: string) {
  sql(
    `INSERT INTO alarm_receivers (receiver, seq) VALUES (?, (SELECT coalesce(max(seq), 0) FROM message_rows)) ON CONFLICT DO NOTHING`,
  ).run(receiver);
}

/** As SQL: the changes that have not been delivered to a receiver yet. */
const undelivered = `message_rows INDEXED BY message_rows_logbook
  WHERE ${indexPredicates.logbook} AND seq > (SELECT seq FROM alarm_receivers WHERE receiver = ?)
    AND type_no IN ${typeNumbers(alarmMessageTypes)} AND effect = 'applied'`;

/** The first change that has not been delivered to a receiver yet, or undefined. */
export const firstUndelivered = (sql: Prepare, receiver: string) =>
  sql<Undelivered>(
    `SELECT seq, ${messageColumns.message_id} AS message_id, ${messageColumns.payload} AS payload FROM ${undelivered} ORDER BY seq LIMIT 1`,
  ).get(receiver);

/**
 * Skips the changes that a receiver did not get in time because it was unreachable or not configured.
 * @param before milliseconds since 1970
 * @returns the number of skipped changes
 */
export function leaveOut(tx: Transaction, receiver: string, before: number) {
  const old = tx
    .sql<number>(`SELECT seq FROM ${undelivered} AND recorded_ms < ? ORDER BY seq`)
    .values(receiver, before);
  const last = old.at(-1);
  if (last !== undefined) noteDelivered(tx, receiver, last);
  return old.length;
}

export function noteDelivered({ sql }: Transaction, receiver: string, seq: number) {
  sql('UPDATE alarm_receivers SET seq = max(seq, ?) WHERE receiver = ?').run(seq, receiver);
}
