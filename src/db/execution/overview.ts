import type { LeftSlice, OpenSlice, Overview, SliceQueue } from '../../agents/ports.ts';
import { type Phase, workersMayTake } from '../../domain/run-phases.ts';
import type { SliceStatus } from '../../domain/slice-states.ts';
import { waitingCommands } from '../log/commands.ts';
import { removalOf } from '../log/removals.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { type Attempt, lostStarts, maxLostStarts } from '../presence/lost-starts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { countsOf } from './find-execution.ts';

export const openOverview = (sql: Prepare, execution_id: string): Overview => ({
  phase: () => phaseOf(sql, execution_id) ?? 'none',
  counts: () => countsOf(sql, execution_id),
  isSettled: () =>
    sql<number>(
      `SELECT phase = 'completed' AND stfs_ready = stfs_announced AND stfs_announced = runs.total_stf_files
           AND tf_files_received = samples_expected AND slices_created = slices_expected
           AND slices_completed + slices_exhausted = slices_created
         FROM run_states JOIN runs USING (execution_id) WHERE execution_id = ?`,
    ).value(execution_id) === 1,
  pendingStop: () => waitingCommands(sql, execution_id, ['stop_workflow'])[0],
  pendingPause: () => waitingCommands(sql, execution_id, ['pause_workflow', 'resume_workflow'])[0],
});

/** The phase of an execution's run; undefined if the store does not contain it. */
export const phaseOf = (sql: Prepare, executionId: string) =>
  sql<Phase>('SELECT phase FROM run_states WHERE execution_id = ?').value(executionId);

const columns = 'slice_id, slice_filename, tf_filename, stf_filename, tf_first, tf_last, tf_count, attempt';

const queuedSlices = `SELECT ${columns} FROM tf_slices
  WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ?`;

const slicesInHand = `SELECT ${columns}, assigned_worker AS worker_id, coalesce(hostname, '') AS hostname FROM tf_slices
  WHERE execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice} ORDER BY seq`;

export const openSliceQueue = (sql: Prepare, execution_id: string, isAlive: LivenessTest): SliceQueue => ({
  isOpen() {
    const phase = phaseOf(sql, execution_id);
    // A worker may be working on a run that this store does not contain.
    return phase === undefined || workersMayTake(phase);
  },
  queued: (limit) => sql<OpenSlice>(queuedSlices).all(execution_id, limit),
  inProcess: () => sql<LeftSlice>(slicesInHand).all(execution_id),
  standing: (filename, attempt) => standingOf(sql, { execution_id, slice_filename: filename, attempt }, isAlive),
});

function standingOf(sql: Prepare, of: Attempt, isAlive: LivenessTest) {
  const { execution_id, slice_filename, attempt } = of;
  const ofExecution = sql<string>('SELECT status FROM workflow_executions WHERE execution_id = ?');
  const status = ofExecution.value(execution_id);
  // If the execution is unknown, its slice is open, since the broker sent it. A removed execution has ended.
  if (status === undefined) return removalOf(sql, execution_id) === undefined ? 'open' : 'over';
  if (status !== 'running') return 'over';
  const slice = sql<{ status: SliceStatus; attempt: number }>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).get(slice_filename, execution_id);
  if (slice === undefined || slice.attempt < attempt) return 'open';
  if (slice.attempt > attempt || slice.status === 'completed' || slice.status === 'failed') return 'over';
  return lostStarts(sql, of, isAlive).length >= maxLostStarts ? 'given up' : 'open';
}
