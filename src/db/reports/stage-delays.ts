import { type DelayBucket, type StageDelay, type StageName, stages, summarizeStage } from '../../domain/stages.ts';
import type { StagePicture } from '../../monitoring/timeline/picture.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isOfPrompt } from '../observed/prompt.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The stages that items have passed in an execution driven by swf-mcp, as counted by the projection. */
export const countedDelays = (sql: Prepare, executionId: string) =>
  countedStages(sql, executionId).map(({ stage, buckets }) => summarizeStage(stage, buckets));

/** Stages, each with the number of items in each bucket of `bucketOf`, shortest delays first. */
export function stagePictures(sql: Prepare, executionId: string): StagePicture[] {
  const counted = countedStages(sql, executionId).map(({ stage, buckets }) => ({
    ...summarizeStage(stage, buckets),
    buckets: buckets.map(({ bucket, items }): [number, number] => [bucket, items]),
  }));
  if (counted.length > 0) return counted;
  const passageOf = new Map(passagesOf(sql, executionId));
  return timedDelays(sql, executionId).flatMap((delay) => {
    const passage = passageOf.get(delay.stage);
    if (passage === undefined) return [];
    const rows = sql<{ bucket: number; items: number }>(
      `SELECT ${bucket} AS bucket, count(*) AS items FROM ${passage} GROUP BY 1 ORDER BY 1`,
    ).all(executionId);
    return { ...delay, buckets: rows.map((row): [number, number] => [row.bucket, row.items]) };
  });
}

function countedStages(sql: Prepare, executionId: string): { stage: StageName; buckets: DelayBucket[] }[] {
  const rows = sql<DelayBucket & { stage: number }>(
    'SELECT stage, bucket, items, total, longest, latest FROM stage_delays WHERE execution_id = ? ORDER BY stage, bucket',
  ).all(executionId);
  const passed = stages.map(({ stage }) => ({ stage, buckets: [] as DelayBucket[] }));
  for (const row of rows) passed[row.stage]?.buckets.push(row);
  return passed.filter(({ buckets }) => buckets.length > 0);
}

const passagesOf = (sql: Prepare, executionId: string) =>
  Object.entries(isOfPrompt({ sql, execution_id: executionId }) ? promptPassages : passages) as [StageName, string][];

const took = `(SELECT took_ms AS ms FROM stf_files INDEXED BY stf_files_took WHERE execution_id = ? AND ${indexPredicates.tookTime})`;

/** The same as `passages`, for prompt processing. */
const promptPassages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → registered': took,
  'registered → processed': `(SELECT CAST(round((julianday(processed_at) - julianday(registered_at)) * 86400000) AS INTEGER) AS ms
    FROM stf_files WHERE execution_id = ? AND processed_at IS NOT NULL AND registered_at IS NOT NULL)`,
};

/**
 * As SQL: the milliseconds that each file or slice spent in a stage, as `ms`, in index order. `?` is the
 * execution.
 */
const passages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → stf_ready': took,
  'stf_ready → tf_file_registered': `(SELECT waited_ms AS ms FROM fastmon_files INDEXED BY fastmon_files_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice → slice_started': `(SELECT waited_ms AS ms FROM tf_slices INDEXED BY tf_slices_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice_started → slice_result': tookAs('completed'),
  'slice_started → failed result': tookAs('failed'),
};

function tookAs(status: 'completed' | 'failed') {
  return `(SELECT took_ms AS ms FROM tf_slices INDEXED BY tf_slices_took WHERE execution_id = ? AND status = '${status}' AND ${indexPredicates.tookTime})`;
}

/** The stages of an observed execution. Percentiles are exact. */
export const timedDelays = (sql: Prepare, executionId: string): StageDelay[] =>
  passagesOf(sql, executionId).flatMap(([stage, passage]) => {
    // A slice's wait and duration are stored together, so the index of durations counts both.
    const counted = stage === 'slice → slice_started' ? [tookAs('completed'), tookAs('failed')] : [passage];
    const items = counted.reduce((sum, from) => sum + countIn(sql, from, executionId), 0);
    if (items === 0) return [];
    // Find the n-th row, counting from the nearer end.
    const nth = (order: 'ASC' | 'DESC', before: number) =>
      seconds(
        sql<number>(`SELECT ms FROM ${passage} ORDER BY ms ${order} LIMIT 1 OFFSET ?`).value(executionId, before) ?? 0,
      );
    const p50 = nth('ASC', Math.ceil(0.5 * items) - 1);
    const p95 = nth('DESC', items - Math.ceil(0.95 * items));
    return [{ stage, items, p50, p95, max: nth('DESC', 0) }];
  });

const countIn = (sql: Prepare, passage: string, id: string) =>
  sql<number>(`SELECT count(*) FROM ${passage}`).value(id) ?? 0;

const seconds = (ms: number) => Math.round(ms) / 1000;

/** As SQL: the bucket of a delay, as `bucketOf` computes it. */
const bucket = 'iif(ms <= 1, 0, CAST(ceil(ln(ms) / ln(1.25)) AS INTEGER))';
