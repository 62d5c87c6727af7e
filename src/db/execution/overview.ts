import type { Overview } from '../../agents/ports.ts';
import type { Phase } from '../../domain/run-phases.ts';
import { waitingCommand } from '../log/commands.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { countsOf } from './find-execution.ts';

/** The state of an execution as its driver sees it. */
export function openOverview(
  sql: Prepare,
  { execution_id, run_number }: { execution_id: string; run_number: number },
): Overview {
  return {
    phase: () => phaseOf(sql, run_number) ?? 'none',
    counts: () => countsOf(sql, run_number),
    isSettled: () =>
      sql<[number], { settled: number }>(
        `SELECT phase = 'completed' AND stfs_ready = stfs_announced AND stfs_announced = runs.total_stf_files
           AND tf_files_received = samples_expected AND slices_created = slices_expected
           AND slices_completed + slices_exhausted = slices_created AS settled
         FROM run_states JOIN runs USING (run_number) WHERE run_number = ?`,
      ).get(run_number)?.settled === 1,
    pendingStop: () => waitingCommand(sql, execution_id, ['stop_workflow']),
    pendingPause: () => waitingCommand(sql, execution_id, ['pause_workflow', 'resume_workflow']),
  };
}

/** The phase of a run; undefined for a run that this store does not know. */
export const phaseOf = (sql: Prepare, runNumber: number): Phase | undefined =>
  sql<[number], { phase: Phase }>('SELECT phase FROM run_states WHERE run_number = ?').get(runNumber)?.phase;
