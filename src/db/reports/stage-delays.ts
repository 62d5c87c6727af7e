import { type DelayBucket, type StageDelay, type StageName, stages, summarizeStage } from '../../domain/stages.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The stages of a run that any item has passed, with the delays that the projection keeps. */
export function stageBuckets(sql: Prepare, executionId: string): { stage: StageName; buckets: DelayBucket[] }[] {
  const rows = sql<[string], DelayBucket & { stage: number }>(
    'SELECT stage, bucket, items, total, longest, latest FROM stage_delays WHERE execution_id = ? ORDER BY stage, bucket',
  ).all(executionId);
  return stages
    .map(({ stage }, index) => ({ stage, buckets: rows.filter((row) => row.stage === index) }))
    .filter(({ buckets }) => buckets.length > 0);
}

/** The same as figures. */
export const stageDelays = (sql: Prepare, executionId: string): StageDelay[] =>
  stageBuckets(sql, executionId).map(({ stage, buckets }) => summarizeStage(stage, buckets));
