import type { Prepare } from './statements.ts';

/** How long one stage of the workflow took, over all its items of an execution. Seconds of wall time. */
export interface StageDelay {
  /** The two messages that the delay lies between. */
  stage: string;
  items: number;
  p50: number;
  p95: number;
  max: number;
}

/** The delay of each stage and the rows that have both its ends; every query finds them by the index of the execution. */
const stages: readonly { stage: string; from: string; to: string; rows: string }[] = [
  { stage: 'stf_gen → stf_ready', from: 'created_at', to: 'processed_at', rows: 'stf_files WHERE execution_id = ?' },
  {
    stage: 'stf_ready → tf_file_registered',
    from: 'stf_files.processed_at',
    to: 'fastmon_files.created_at',
    rows: 'fastmon_files JOIN stf_files USING (stf_filename) WHERE fastmon_files.execution_id = ?',
  },
  {
    stage: 'tf_file_registered → slice',
    from: 'fastmon_files.created_at',
    to: 'tf_slices.created_at',
    rows: 'tf_slices JOIN fastmon_files USING (tf_filename) WHERE tf_slices.execution_id = ?',
  },
  {
    stage: 'slice → slice_started',
    from: 'queued_at',
    to: 'started_at',
    rows: 'tf_slices AS s JOIN slice_attempts USING (slice_filename) WHERE s.execution_id = ?',
  },
  {
    stage: 'slice_started → slice_result',
    from: 'started_at',
    to: 'slice_attempts.completed_at',
    rows: 'tf_slices AS s JOIN slice_attempts USING (slice_filename) WHERE s.execution_id = ?',
  },
];

/** The stages of an execution that anything has gone through. */
export function stageDelays(sql: Prepare, executionId: string): StageDelay[] {
  return stages.flatMap(({ stage, from, to, rows }) => {
    const delays = sql<[string], { delay: number | null }>(
      `SELECT (julianday(${to}) - julianday(${from})) * 86400 AS delay FROM ${rows}`,
    )
      .all(executionId)
      .flatMap(({ delay }) => (delay === null ? [] : [Math.max(0, delay)]));
    if (delays.length === 0) return [];
    delays.sort((a, b) => a - b);
    const at = (part: number): number => rounded(delays[Math.ceil(part * delays.length) - 1] ?? 0);
    return [{ stage, items: delays.length, p50: at(0.5), p95: at(0.95), max: at(1) }];
  });
}

/** Times are recorded in milliseconds. */
const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
