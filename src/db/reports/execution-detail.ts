import type { ExecutionParams } from '../../domain/params.ts';
import { SwfError } from '../../lib/errors.ts';
import type { ProgressRecord } from '../../monitoring/progress.ts';
import type { ExecutionRow, OwnExecution } from '../execution/find-execution.ts';
import { executionParams } from '../execution/params.ts';
import { lastTick } from '../execution/start-message.ts';
import { knownRetries } from '../migrations/documented-views.ts';
import { lostStartsOf } from '../migrations/lost-starts.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The fields that a list of executions leaves out. Times are ISO 8601. */
export interface ExecutionRecord extends Pick<
  ProgressRecord,
  'stfs_ready' | 'samples_expected' | 'slices_expected' | 'slices_exhausted' | 'last_tick'
> {
  /** Attempts after the first of a slice; null while that is unknown. */
  slice_retries: number | null;
  /** How many of them began because a worker vanished. */
  lost_starts: number;
  slices_retried: number;
  dataset_name: string | null;
  dataset_state: 'open' | 'final' | null;
  dataset_files: number;
  dataset_bytes: number;
  phase_changed_at: string | null;
  /** 1 if agents of other processes may work on it. */
  over_broker: number;
}

export interface ExecutionDetail extends ExecutionRecord {
  params: ExecutionParams;
}

/** Throws `RUN_NOT_FOUND` if the execution's run is missing. */
export function executionRecord(sql: Prepare, { execution_id, run_number }: ExecutionRow): ExecutionRecord {
  const row = sql<Omit<ExecutionRecord, 'last_tick'>>(
    `SELECT phase_changed_at, over_broker, stfs_ready, samples_expected, slices_expected, slices_exhausted, ${knownRetries('e', 'e')} AS slice_retries, slices_retried, ${lostStartsOf('e')} AS lost_starts,
       dataset_name, dataset_state, dataset_files, dataset_bytes
     FROM workflow_executions AS e JOIN run_states USING (execution_id) JOIN runs USING (execution_id) WHERE execution_id = ?`,
  ).get(execution_id);
  if (row === undefined)
    throw new SwfError(
      'RUN_NOT_FOUND',
      `the store has no run ${run_number} for ${execution_id}, so little is known about it; list_messages(execution_id="${execution_id}") has its messages`,
    );
  return { ...row, last_tick: lastTick(sql, execution_id)?.tick ?? null };
}

/** The record with the plan. Also throws `CONFIG_INVALID` if the parameters cannot be read. */
export const executionDetail = (sql: Prepare, execution: OwnExecution) => ({
  ...executionRecord(sql, execution),
  params: executionParams(sql, execution),
});
