import type { Overview } from '../../agents/ports.ts';
import type { Phase } from '../../domain/run-phases.ts';
import { waitingCommands } from '../log/commands.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { countsOf } from './find-execution.ts';

export const openOverview = (sql: Prepare, execution_id: string): Overview => ({
  phase: () => phaseOf(sql, execution_id) ?? 'none',
  counts: () => countsOf(sql, execution_id),
  isSettled: () =>
    sql<[string], number>(
      `SELECT phase = 'completed' AND stfs_ready = stfs_announced AND stfs_announced = runs.total_stf_files
           AND tf_files_received = samples_expected AND slices_created = slices_expected
           AND slices_completed + slices_exhausted = slices_created
         FROM run_states JOIN runs USING (execution_id) WHERE execution_id = ?`,
    ).value(execution_id) === 1,
  pendingStop: () => waitingCommands(sql, execution_id, ['stop_workflow'])[0],
  pendingPause: () => waitingCommands(sql, execution_id, ['pause_workflow', 'resume_workflow'])[0],
});

/** The phase of the run of an execution; undefined if the store does not know it. */
export const phaseOf = (sql: Prepare, executionId: string): Phase | undefined =>
  sql<[string], Phase>('SELECT phase FROM run_states WHERE execution_id = ?').value(executionId);
