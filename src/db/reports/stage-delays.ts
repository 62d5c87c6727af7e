import { type DelayBucket, type StageDelay, type StageName, stages, summarizeStage } from '../../domain/stages.ts';
import type { StagePicture } from '../../monitoring/timeline/picture.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isOfPrompt } from '../observed/prompt.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The stages that any item of an execution has passed: as the projection counts them, else from the times of the items themselves. */
export const stageDelays = (sql: Prepare, executionId: string): StageDelay[] => {
  const counted = countedStages(sql, executionId);
  if (counted.length > 0) return counted.map(({ stage, buckets }) => summarizeStage(stage, buckets));
  return timedStages(sql, executionId).map(({ delay }) => delay);
};

/** The same with the number of items of each size, for a picture: the buckets of `bucketOf`, smallest first. */
export function stagePictures(sql: Prepare, executionId: string): StagePicture[] {
  const counted = countedStages(sql, executionId).map(({ stage, buckets }) => ({
    ...summarizeStage(stage, buckets),
    buckets: buckets.map(({ bucket, items }): [number, number] => [bucket, items]),
  }));
  if (counted.length > 0) return counted;
  return timedStages(sql, executionId).map(({ delay, passage }) => {
    const rows = sql<[string], { bucket: number; items: number }>(
      `SELECT ${bucket} AS bucket, count(*) AS items FROM ${passage} GROUP BY 1 ORDER BY 1`,
    ).all(executionId);
    return { ...delay, buckets: rows.map((row): [number, number] => [row.bucket, row.items]) };
  });
}

function countedStages(sql: Prepare, executionId: string): { stage: StageName; buckets: DelayBucket[] }[] {
  const rows = sql<[string], DelayBucket & { stage: number }>(
    'SELECT stage, bucket, items, total, longest, latest FROM stage_delays WHERE execution_id = ? ORDER BY stage, bucket',
  ).all(executionId);
  if (rows.length === 0) return [];
  return stages
    .map(({ stage }, index) => ({ stage, buckets: rows.filter((row) => row.stage === index) }))
    .filter(({ buckets }) => buckets.length > 0);
}

const passagesOf = (sql: Prepare, executionId: string) =>
  Object.entries(isOfPrompt({ sql, execution_id: executionId }) ? promptPassages : passages) as [StageName, string][];

const took = `(SELECT took_ms AS ms FROM stf_files INDEXED BY stf_files_took WHERE execution_id = ? AND ${indexPredicates.tookTime})`;

/** The same in prompt processing. */
const promptPassages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → registered': took,
  'registered → processed': `(SELECT CAST(round((julianday(processed_at) - julianday(registered_at)) * 86400000) AS INTEGER) AS ms
    FROM stf_files WHERE execution_id = ? AND processed_at IS NOT NULL AND registered_at IS NOT NULL)`,
};

/** As SQL: the milliseconds that each file or slice spent in a stage, `ms`, in index order. `?` is the execution. */
const passages: Readonly<Partial<Record<StageName, string>>> = {
  'stf_gen → stf_ready': took,
  'stf_ready → tf_file_registered': `(SELECT waited_ms AS ms FROM fastmon_files INDEXED BY fastmon_files_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice → slice_started': `(SELECT waited_ms AS ms FROM tf_slices INDEXED BY tf_slices_waited WHERE execution_id = ? AND ${indexPredicates.waitedTime})`,
  'slice_started → slice_result': tookAs('completed'),
  'slice_started → failed result': tookAs('failed'),
};

function tookAs(status: 'completed' | 'failed'): string {
  return `(SELECT took_ms AS ms FROM tf_slices INDEXED BY tf_slices_took WHERE execution_id = ? AND status = '${status}' AND ${indexPredicates.tookTime})`;
}

/**
 * The stages that any item has passed, with their passages. Percentiles are exact, from the items themselves. The time of a stage's last item is not
 * determined.
 */
const timedStages = (sql: Prepare, executionId: string): { delay: StageDelay; passage: string }[] =>
  passagesOf(sql, executionId).flatMap(([stage, passage]) => {
    const all = sql<[string], { items: number; mean: number; max: number }>(
      `SELECT count(*) AS items, avg(ms) AS mean, max(ms) AS max FROM ${passage}`,
    ).get(executionId);
    if (all === undefined || all.items === 0) return [];
    const { items, mean, max } = all;
    // From the end that is nearer.
    const nth = (order: 'ASC' | 'DESC', before: number): number =>
      sql<[string, number], number>(`SELECT ms FROM ${passage} ORDER BY ms ${order} LIMIT 1 OFFSET ?`).value(
        executionId,
        before,
      ) ?? 0;
    const [p50, p95] = [nth('ASC', Math.ceil(0.5 * items) - 1), nth('DESC', items - Math.ceil(0.95 * items))];
    const delay = {
      stage,
      items,
      p50: seconds(p50),
      p95: seconds(p95),
      max: seconds(max),
      mean: seconds(mean),
      last_at: '',
    };
    return [{ delay, passage }];
  });

const seconds = (ms: number): number => Math.round(ms) / 1000;

/** As SQL: the bucket of a delay, as `bucketOf` computes it. */
const bucket = 'iif(ms <= 1, 0, CAST(ceil(ln(ms) / ln(1.25)) AS INTEGER))';
