import type { ExecutionParams } from '../../domain/params.ts';
import { SwfError } from '../../lib/errors.ts';
import type { ProgressRecord } from '../../monitoring/progress.ts';
import type { ExecutionRow, OwnExecution } from '../execution/find-execution.ts';
import { executionParams } from '../execution/params.ts';
import { lastTick } from '../execution/start-message.ts';
import { knownRetries } from '../migrations/documented-views.ts';
import { lostStartsOf } from '../migrations/lost-starts.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The fields of an execution that are left out of lists. Times are ISO 8601. */
export interface ExecutionRecord extends Pick<
  ProgressRecord,
  'stfs_ready' | 'samples_expected' | 'slices_expected' | 'slices_exhausted' | 'last_tick'
> {
  /** Number of attempts other than first attempts; null while unknown. */
  slice_retries: number | null;
  /** Number of these attempts that began because a worker disappeared. */
  lost_starts: number;
  slices_retried: number;
  dataset_name: string | null;
  dataset_state: 'open' | 'final' | null;
  dataset_files: number;
  dataset_bytes: number;
  phase_changed_at: string | null;
  /** 1 if agents in other processes may work on the execution. */
  over_broker: number;
}

export interface ExecutionDetail extends ExecutionRecord {
  params: ExecutionParams;
}

/** The error for an execution that the store lists although the rest of its record is missing. */
export const recordDamaged = (executionId: string) =>
  new SwfError(
    'STORE_CORRUPT',
    `the record of ${executionId} is damaged; restore the store from a backup; list_messages(execution_id="${executionId}") shows its messages`,
  );

/** Throws `STORE_CORRUPT` if a part of the execution's record is missing. */
export function executionRecord(sql: Prepare, { execution_id }: ExecutionRow): ExecutionRecord {
  const row = sql<Omit<ExecutionRecord, 'last_tick'>>(
    `SELECT phase_changed_at, over_broker, stfs_ready, samples_expected, slices_expected, slices_exhausted, ${knownRetries('e', 'e')} AS slice_retries, slices_retried, ${lostStartsOf('e')} AS lost_starts,
       dataset_name, dataset_state, dataset_files, dataset_bytes
     FROM workflow_executions AS e JOIN run_states USING (execution_id) JOIN runs USING (execution_id) WHERE execution_id = ?`,
  ).get(execution_id);
  if (row === undefined) throw recordDamaged(execution_id);
  return { ...row, last_tick: lastTick(sql, execution_id)?.tick ?? null };
}

/**
 * The record and the parameters of an execution. Throws `STORE_CORRUPT` if a part of the record is missing, and
 * `CONFIG_INVALID` if this program cannot use the parameters.
 */
export const executionDetail = (sql: Prepare, execution: OwnExecution) => ({
  ...executionRecord(sql, execution),
  params: executionParams(sql, execution),
});
