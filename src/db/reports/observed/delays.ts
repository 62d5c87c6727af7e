import { type DelayBucket, type StageDelay, type StageName, stages, summarizeStage } from '../../../domain/stages.ts';
import { indexPredicates } from '../../migrations/index-predicates.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** As SQL: seconds from one time to another. */
const seconds = (from: string, to: string): string =>
  `max(0, unixepoch(${to}, 'subsec') - unixepoch(${from}, 'subsec'))`;

/** As SQL: the seconds that each item of a stage took, and when it left it. `?` is the execution. */
const passages: Readonly<Partial<Record<(typeof stages)[number]['stage'], string>>> = {
  'stf_gen → stf_ready': `SELECT ${seconds('created_at', 'processed_at')} AS s, processed_at AS at FROM stf_files WHERE execution_id = ? AND processed_at IS NOT NULL`,
  'stf_ready → tf_file_registered': `SELECT ${seconds('processed_at', 'f.created_at')} AS s, f.created_at AS at
    FROM fastmon_files AS f JOIN stf_files USING (stf_filename, execution_id) WHERE execution_id = ? AND processed_at IS NOT NULL`,
  'slice → slice_started': `SELECT waited_ms / 1000.0 AS s, assigned_at AS at FROM tf_slices WHERE execution_id = ? AND waited_ms IS NOT NULL AND attempt = 1`,
  'slice_started → slice_result': `SELECT took_ms / 1000.0 AS s, completed_at AS at FROM tf_slices
    WHERE execution_id = ? AND took_ms IS NOT NULL AND status = 'completed'`,
  'slice_started → failed result': `SELECT took_ms / 1000.0 AS s, completed_at AS at FROM tf_slices INDEXED BY tf_slices_open
    WHERE execution_id = ? AND took_ms IS NOT NULL AND status = 'failed' AND ${indexPredicates.openSlice}`,
};

/** As SQL: the bucket of a delay, as `bucketOf` has it. */
const bucket = 'iif(s <= 0.001, 0, CAST(ceil(ln(s / 0.001) / ln(1.25)) AS INTEGER))';

/** The delays of each stage of an observed execution by size, from the times that its messages tell. */
const bucketsOf = (sql: Prepare, executionId: string): { stage: StageName; buckets: DelayBucket[] }[] =>
  stages.flatMap(({ stage }) => {
    const passage = passages[stage];
    if (passage === undefined) return [];
    const buckets = sql<[string], DelayBucket>(
      `SELECT ${bucket} AS bucket, count(*) AS items, total(s) AS total, max(s) AS longest, max(at) AS latest FROM (${passage}) GROUP BY 1 ORDER BY 1`,
    ).all(executionId);
    return buckets.length === 0 ? [] : [{ stage, buckets }];
  });

/** How long the stages of an observed execution took. */
export const observedDelays = (sql: Prepare, executionId: string): StageDelay[] =>
  bucketsOf(sql, executionId).map(({ stage, buckets }) => summarizeStage(stage, buckets));

/** The same with how many items are of each size, for a picture. */
export const observedBuckets = (sql: Prepare, executionId: string): (StageDelay & { buckets: [number, number][] })[] =>
  bucketsOf(sql, executionId).map(({ stage, buckets }) => ({
    ...summarizeStage(stage, buckets),
    buckets: buckets.map((one) => [one.bucket, one.items]),
  }));
