import { type DelayBucket, type StageDelay, stages, summarizeStage } from '../../domain/stages.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The stages of a run that anything has gone through, from what the projection has kept. */
export function stageDelays(sql: Prepare, runNumber: number): StageDelay[] {
  const rows = sql<[number], DelayBucket & { stage: number }>(
    'SELECT stage, bucket, items, total, longest, latest FROM stage_delays WHERE run_number = ? ORDER BY stage, bucket',
  ).all(runNumber);
  return stages.flatMap(({ stage }, index) => {
    const buckets = rows.filter((row) => row.stage === index);
    return buckets.length === 0 ? [] : [summarizeStage(stage, buckets)];
  });
}
