import { type DelayBucket, type StageDelay, stages, summarizeStage } from '../../domain/stages.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The stages of a run that any item has passed, from the delays that the projection keeps. */
export function stageDelays(sql: Prepare, executionId: string): StageDelay[] {
  const rows = sql<[string], DelayBucket & { stage: number }>(
    'SELECT stage, bucket, items, total, longest, latest FROM stage_delays WHERE execution_id = ? ORDER BY stage, bucket',
  ).all(executionId);
  return stages.flatMap(({ stage }, index) => {
    const buckets = rows.filter((row) => row.stage === index);
    return buckets.length === 0 ? [] : [summarizeStage(stage, buckets)];
  });
}
