import { countCauses } from '../../domain/causes.ts';
import type { StageDelay } from '../../domain/stages.ts';
import {
  type Concentration,
  type PlacedAttempt,
  concentrationOf,
  countsByWorker,
} from '../../monitoring/concentration.ts';
import type { Evidence, FailuresInARow, SlowSlice } from '../../monitoring/evidence.ts';
import { delayOf } from '../../monitoring/facts.ts';
import { attemptsLookedAt } from '../../monitoring/findings/rule.ts';
import { hasSlowSlice } from '../../monitoring/findings/slices.ts';
import { type Service, slowSlots, slowerSlices } from '../../monitoring/service-times.ts';
import { sliceSeconds } from '../lists/tf-slices.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

/**
 * As SQL: an execution's failed attempts, both the latest attempts at their slices and those that were retried.
 */
const lastFailed = `tf_slices INDEXED BY tf_slices_open WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice}`;
const earlierFailed = `earlier_attempts WHERE execution_id = ? AND state = 'failed'`;

/**
 * Why attempts of an execution failed, most frequent cause first, from at most 1,000 failures. If there are
 * more failures, half of these 1,000 are attempts that were retried, and half are attempts that were not.
 */
export function failureCauses(sql: Prepare, executionId: string) {
  const [last, earlier] = [lastFailed, earlierFailed].map((from) =>
    sql<string | null>(`SELECT substr(error, 1, 1000) AS error FROM ${from} LIMIT ?`)
      .values(executionId, attemptsLookedAt)
      .map((error) => error ?? 'failed without a reason'),
  ) as [string[], string[]];
  const half = attemptsLookedAt / 2;
  return countCauses([
    ...last.slice(0, Math.max(half, attemptsLookedAt - earlier.length)),
    ...earlier.slice(0, Math.max(half, attemptsLookedAt - last.length)),
  ]);
}

/** Maximum number of results among which to look for the last success. */
const resultsLookedAt = 20_000;

/** As SQL: the newest results of the execution $id that meet a condition. */
const resultsWhere = (condition: string) =>
  `SELECT seq, recorded_ms, ${jsonField('body', 'state')} AS state, ${jsonField('body', 'attempt')} AS attempt FROM message_rows INDEXED BY message_rows_type
   WHERE execution_no = ${numberOf('$id')} AND type_no = ${numberOf(`'slice_result'`)} AND effect = 'applied' AND ${condition} ORDER BY seq DESC LIMIT ${resultsLookedAt}`;

/** As SQL: the attempts since the last success, which is usually the newest result. */
const failedSince = `WITH done AS MATERIALIZED (SELECT seq, recorded_ms FROM (${resultsWhere('TRUE')}) WHERE state IS NOT 'failed' LIMIT 1)
  SELECT count(*) AS attempts, count(*) FILTER (WHERE attempt = 1) AS firstAttempts, min(recorded_ms) AS since, (SELECT recorded_ms FROM done) AS done
  FROM (${resultsWhere('seq > coalesce((SELECT seq FROM done), 0)')}) HAVING attempts > 0`;

/**
 * The failed attempts of one of swf-mcp's own executions since its last success; undefined if the newest
 * attempt succeeded, or there was none.
 */
export function failuresInARow(sql: Prepare, id: string): FailuresInARow | undefined {
  const found = sql<Record<'attempts' | 'firstAttempts' | 'since', number> & { done: number | null }>(failedSince).get({
    id,
  });
  if (found === undefined) return undefined;
  const { done, ...failed } = found;
  return { ...failed, isMore: done === null && failed.attempts === resultsLookedAt, last_done: done ?? undefined };
}

/** How many of the newest slices to examine for places where slices fail. */
const slicesLookedAt = 20_000;

/** The result for an execution without failures. */
export const noPlaces: ReturnType<typeof failuresByPlace> = { concentration: undefined, by_worker: [] };

/**
 * As SQL: the first attempts that were started again, each with the worker of its last start. The earlier
 * starts, read from the log, count as tries; otherwise, a worker that is gone would be judged by its quick
 * failures alone.
 */
const startedAgain = `SELECT slice_filename, stf_filename AS stf, slice_id AS number, coalesce(assigned_worker, left_by) AS last
  FROM tf_slices WHERE execution_id = $id AND seq > $from AND attempt = 1 AND starts > 1
  UNION ALL SELECT s.slice_filename, s.stf_filename, s.slice_id, e.worker_id
  FROM tf_slices AS s INDEXED BY tf_slices_retried CROSS JOIN earlier_attempts AS e USING (slice_filename, execution_id)
  WHERE s.execution_id = $id AND s.seq > $from AND s.${indexPredicates.retriedSlice} AND e.attempt = 1 AND e.starts > 1`;

/** Where first attempts at the newest slices fail. */
export function failuresByPlace(sql: Prepare, executionId: string): Pick<Evidence, 'concentration' | 'by_worker'> {
  const oldest = sql<number>('SELECT seq FROM tf_slices WHERE execution_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?');
  const from = oldest.value(executionId, slicesLookedAt) ?? 0;
  const current = sql<PlacedAttempt>(
    `SELECT stf_filename AS stf, slice_id AS number, assigned_worker AS worker, hostname AS host, status = 'failed' AS failed
     FROM tf_slices WHERE execution_id = ? AND seq > ? AND attempt = 1 AND status IN ('completed', 'failed')`,
  ).all(executionId, from);
  const earlier = sql<PlacedAttempt>(
    `SELECT s.stf_filename AS stf, s.slice_id AS number, e.worker_id AS worker, e.hostname AS host, e.state = 'failed' AS failed
     FROM tf_slices AS s INDEXED BY tf_slices_retried CROSS JOIN earlier_attempts AS e USING (slice_filename, execution_id)
     WHERE s.execution_id = ? AND s.seq > ? AND s.${indexPredicates.retriedSlice} AND e.attempt = 1 AND e.state IN ('completed', 'failed')`,
  ).all(executionId, from);
  const left = sql<PlacedAttempt>(
    `SELECT stf, number, ${jsonField('body', 'worker_id')} AS worker, ${jsonField('body', 'hostname')} AS host, 0 AS failed
     FROM (${startedAgain}) CROSS JOIN message_rows
       ON short_id > ${numberOf('$id')} || '/slice_started/' || slice_filename || '/1/'
       AND short_id < ${numberOf('$id')} || '/slice_started/' || slice_filename || '/10'
     WHERE effect = 'applied' AND worker IS NOT last`,
  ).all({ id: executionId, from });
  const attempts = [...current, ...earlier, ...left];
  const found = concentrationOf(attempts);
  return {
    concentration: found && { ...found, errors: errorsAt(sql, executionId, found) },
    by_worker: countsByWorker(attempts),
  };
}

/** As SQL: the places of an attempt, by kind of place. */
const columnOf = {
  slot: 'worker_id',
  worker: `substr(worker_id, 1, instr(worker_id || '/', '/') - 1)`,
  host: 'a.hostname',
  'STF file': 'stf_filename',
  'slice number': 'CAST(slice_id AS TEXT)',
} as const satisfies Record<Concentration['kind'], string>;

const errorsAt = (sql: Prepare, executionId: string, { kind, places }: Concentration) =>
  sql<string>(
    `SELECT substr(coalesce(a.error, 'failed without a reason'), 1, 1000) AS error
     FROM slice_attempts AS a JOIN tf_slices USING (slice_filename, execution_id)
     WHERE execution_id = ? AND a.attempt = 1 AND a.state = 'failed' AND ${columnOf[kind]} IN (SELECT value FROM json_each(?)) LIMIT ?`,
  ).values(executionId, JSON.stringify(places), attemptsLookedAt);

/** Maximum number of failed attempts to search for the earliest one. */
const failuresLookedAt = 5000;

/**
 * When an attempt of an execution first failed, ISO 8601; undefined if there are too many failures to search
 * and the first of them came late.
 */
export function firstFailure(sql: Prepare, executionId: string) {
  const found = [lastFailed, earlierFailed].map((from) =>
    sql<{ at: string | null; n: number }>(
      `SELECT min(completed_at) AS at, count(*) AS n FROM (SELECT completed_at FROM ${from} LIMIT ?)`,
    ).get(executionId, failuresLookedAt),
  );
  if (found.every((one) => one !== undefined && one.n < failuresLookedAt))
    return found.flatMap((one) => one?.at ?? []).toSorted()[0];
  // If there are many failures, the first one is usually among the first results.
  const early = sql<string | null>(
    `SELECT ${isoTime('min(recorded_ms)')} FROM (
       SELECT recorded_ms, iif(json_valid(body), body ->> '$.state', NULL) AS state FROM message_rows INDEXED BY message_rows_type
       WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'slice_result'`)} AND effect = 'applied' ORDER BY seq LIMIT ?)
     WHERE state = 'failed'`,
  );
  return early.value(executionId, resultsLookedAt) ?? undefined;
}

/**
 * The first error line of an execution. The driver's lines about the end of the execution or of the driver
 * itself do not count: they only repeat a reason or say why the driver ended.
 */
export const firstError = (sql: Prepare, executionId: string) =>
  sql<NonNullable<Evidence['first_error']>>(
    `SELECT timestamp, agent, message FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND ${jsonField('context', 'verdict')} IS NULL
       AND ${jsonField('context', 'driver_ended')} IS NULL ORDER BY log_id LIMIT 1`,
  ).get(executionId);

/**
 * The completed slice that took longest, if it took disproportionately long. For observed slices, the time that
 * the worker measured is indexed.
 */
export function slowestSlice(sql: Prepare, executionId: string, delays: readonly StageDelay[]) {
  if (!hasSlowSlice(delayOf(delays, 'slice_started → slice_result'))) return undefined;
  const slowest = (from: string, order: string) =>
    sql<SlowSlice>(
      `SELECT slice_filename, assigned_worker AS worker, ${sliceSeconds} AS seconds FROM tf_slices ${from} ORDER BY ${order} DESC LIMIT 1`,
    ).get(executionId);
  const completed = `WHERE execution_id = ? AND status = 'completed'`;
  const measured = slowest(`INDEXED BY tf_slices_took ${completed} AND ${indexPredicates.tookTime}`, 'took_ms');
  // In swf-mcp's own executions, only a few slices have a measured time: those whose recorded times cannot be
  // right.
  const recorded = slowest(`${completed} AND took_ms IS NULL`, 'seconds');
  return measured !== undefined && measured.seconds >= (recorded?.seconds ?? 0) ? measured : recorded;
}

/**
 * The failed attempts of an observed execution since its last completed slice, by the times of the results,
 * which may arrive in any order.
 * @param done when that slice was completed, in milliseconds since 1970; 0 if none was
 */
export function observedFailuresInARow(sql: Prepare, id: string, done: number): FailuresInARow | undefined {
  const found = sql<{ attempts: number; firstAttempts: number; first: string }>(
    `SELECT count(*) AS attempts, sum(is_last) AS firstAttempts, min(at) AS first
     FROM (SELECT completed_at AS at, 1 AS is_last FROM ${lastFailed} UNION ALL SELECT completed_at, 0 FROM ${earlierFailed}) WHERE at > ? HAVING attempts > 0`,
  ).get(id, id, done === 0 ? '' : new Date(done).toISOString());
  if (found === undefined) return undefined;
  const { first, ...failed } = found;
  // For each slice, only the last known attempt counts.
  return { ...failed, since: Date.parse(first), isMore: false, last_done: done || undefined };
}

/** How many slices to examine at the start of an execution, and at its end. */
const lookedAt = 1500;

/**
 * The findings derived from the times of completed first attempts at the first and the last slices of an
 * execution.
 */
export function serviceFindings(sql: Prepare, executionId: string) {
  const services = servicesOf(sql, executionId);
  return { slow_slots: slowSlots(services), slower: slowerSlices(services) };
}

type Row = Omit<Service, 'overhead'> & { key: number; took: number | null };

function servicesOf(sql: Prepare, executionId: string): Service[] {
  const rows = (order: 'ASC' | 'DESC', after: number) =>
    sql<Row>(
      `SELECT seq AS key, assigned_worker AS slot, coalesce(stf_filename, tf_filename) AS stf, coalesce(assigned_at, '') AS at, processing_seconds AS seconds, ${sliceSeconds} AS took
       FROM tf_slices INDEXED BY tf_slices_execution
       WHERE execution_id = ? AND seq > ? AND status = 'completed' AND attempt = 1 AND processing_seconds IS NOT NULL AND assigned_worker IS NOT NULL
       ORDER BY seq ${order} LIMIT ?`,
    ).all(executionId, after, lookedAt);
  const first = rows('ASC', 0);
  const last = rows('DESC', first.at(-1)?.key ?? 0).toReversed();
  return [...first, ...last].map(({ slot, stf, at, seconds, took }) => ({
    slot,
    stf,
    at,
    seconds,
    overhead: took === null ? undefined : Math.max(0, took - seconds),
  }));
}
