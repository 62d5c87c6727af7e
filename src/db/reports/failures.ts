import { type Concentration, concentrationOf, type PlacedAttempt } from '../../monitoring/concentration.ts';
import type { SlowSlice } from '../../monitoring/evidence.ts';
import type { FailuresInARow } from '../../monitoring/failures-in-a-row.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Results that are looked at for the last one of a slice that was done: mostly the newest is one. */
const resultsLookedAt = [10, 20_000];

/** The attempts of an own execution that failed since a slice was last done; undefined where the last one was done, or there is none. */
export function failuresInARow(sql: Prepare, executionId: string): FailuresInARow | undefined {
  const newest = sql<[string, number], { state: unknown; sent_ms: number }>(
    `SELECT iif(json_valid(body), body ->> '$.state', NULL) AS state, sent_ms FROM message_rows INDEXED BY message_rows_type
     WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'slice_result'`)} AND effect = 'applied' ORDER BY seq DESC LIMIT ?`,
  );
  for (const limit of resultsLookedAt) {
    const results = newest.all(executionId, limit);
    const done = results.findIndex(({ state }) => state !== 'failed');
    if (done === -1 && results.length === limit && limit !== resultsLookedAt.at(-1)) continue;
    const failed = done === -1 ? results : results.slice(0, done);
    if (failed.length === 0) return undefined;
    const since = Math.min(...failed.map(({ sent_ms }) => sent_ms));
    return { attempts: failed.length, since, last_done: results[done]?.sent_ms };
  }
  return undefined;
}

/** Slices that are looked at for a place where they fail: the newest. */
const slicesLookedAt = 20_000;

/** The place with more failures than chance gives, among the newest slices. */
export function failuresOnOnePlace(sql: Prepare, executionId: string): Concentration | undefined {
  const from =
    sql<[string, number], { seq: number }>(
      'SELECT seq FROM tf_slices WHERE execution_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?',
    ).get(executionId, slicesLookedAt)?.seq ?? 0;
  const error = (state: string, text: string): string =>
    `CASE WHEN ${state} = 'failed' THEN coalesce(substr(${text}, 1, 1000), 'failed without a reason') END AS error`;
  const columns = 'slice, stf, worker, host, error';
  const current = sql<[string, number], PlacedAttempt>(
    `SELECT ${columns} FROM (SELECT slice_filename AS slice, stf_filename AS stf, assigned_worker AS worker, hostname AS host, ${error('status', 'error')}
     FROM tf_slices WHERE execution_id = ? AND seq > ? AND status IN ('completed', 'failed'))`,
  ).all(executionId, from);
  const earlier = sql<[string, number], PlacedAttempt>(
    `SELECT ${columns} FROM (SELECT e.slice_filename AS slice, s.stf_filename AS stf, e.worker_id AS worker, e.hostname AS host, ${error('e.state', 'e.error')}
     FROM earlier_attempts AS e JOIN tf_slices AS s USING (slice_filename, execution_id)
     WHERE e.execution_id = ? AND s.seq > ? AND e.state IN ('completed', 'failed'))`,
  ).all(executionId, from);
  return concentrationOf([...current, ...earlier]);
}

/** When the first attempt of an execution failed, ISO 8601. */
export function firstFailure(sql: Prepare, executionId: string): string | undefined {
  const first = (from: string): string | undefined =>
    sql<[string], { at: string | null }>(`SELECT min(completed_at) AS at FROM ${from}`).get(executionId)?.at ??
    undefined;
  return [
    first(
      `tf_slices INDEXED BY tf_slices_open WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice}`,
    ),
    first(`earlier_attempts WHERE execution_id = ? AND state = 'failed'`),
  ]
    .filter((at) => at !== undefined)
    .toSorted()[0];
}

/** The slice of an own execution that took longest, of those that were done. */
export const slowestSlice = (sql: Prepare, executionId: string): SlowSlice | undefined =>
  sql<[string], SlowSlice>(
    `SELECT slice_filename, assigned_worker AS worker, unixepoch(completed_at, 'subsec') - unixepoch(assigned_at, 'subsec') AS seconds
     FROM tf_slices WHERE execution_id = ? AND status = 'completed' ORDER BY seconds DESC LIMIT 1`,
  ).get(executionId);

/** The same of an observed execution, by the measure of its worker. */
export const observedSlowestSlice = (sql: Prepare, executionId: string): SlowSlice | undefined =>
  sql<[string], SlowSlice>(
    `SELECT slice_filename, assigned_worker AS worker, took_ms / 1000.0 AS seconds FROM tf_slices INDEXED BY tf_slices_took
     WHERE execution_id = ? AND status = 'completed' AND ${indexPredicates.tookTime} ORDER BY took_ms DESC LIMIT 1`,
  ).get(executionId);

/** The attempts of an observed execution that failed since a slice was last done: by the times of the results, since they may come in any order. */
export function observedFailuresInARow(sql: Prepare, executionId: string): FailuresInARow | undefined {
  const done = sql<[string], { at: string | null }>(
    `SELECT max(completed_at) AS at FROM tf_slices WHERE execution_id = ? AND status = 'completed'`,
  ).get(executionId)?.at;
  const failed = (from: string): { n: number; first: string | null } =>
    sql<[string, string], { n: number; first: string | null }>(
      `SELECT count(*) AS n, min(completed_at) AS first FROM ${from} AND completed_at > ?`,
    ).get(executionId, done ?? '') ?? { n: 0, first: null };
  const found = [
    failed(
      `tf_slices INDEXED BY tf_slices_open WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice}`,
    ),
    failed(`earlier_attempts WHERE execution_id = ? AND state = 'failed'`),
  ];
  const attempts = found.reduce((sum, { n }) => sum + n, 0);
  const [first] = found.flatMap((one) => one.first ?? []).toSorted();
  if (first === undefined) return undefined;
  return {
    attempts,
    since: Date.parse(first),
    last_done: done === null || done === undefined ? undefined : Date.parse(done),
  };
}
