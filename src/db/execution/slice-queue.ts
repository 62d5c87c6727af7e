import type { OpenSlice, SliceQueue, SliceStanding } from '../../agents/ports.ts';
import { workersMayTake } from '../../domain/run-phases.ts';
import type { SliceStatus } from '../../domain/slice-states.ts';
import { isRemoved } from '../log/removals.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { lostStarts, mostLostStarts } from '../presence/lost-starts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { phaseOf } from './overview.ts';

const columns = 'slice_id, slice_filename, tf_filename, stf_filename, tf_first, tf_last, tf_count, attempt';

const selectIn = (status: 'queued' | 'processing'): string => `SELECT ${columns} FROM tf_slices
  WHERE execution_id = ? AND status = '${status}' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ?`;

const slicesIn = { queued: selectIn('queued'), processing: selectIn('processing') } as const;

/** The slices of an execution as its workers see them. */
export function openSliceQueue(
  sql: Prepare,
  { execution_id }: { execution_id: string },
  isAlive: LivenessTest,
): SliceQueue {
  const select = (status: 'queued' | 'processing', limit: number): OpenSlice[] =>
    sql<[string, number], OpenSlice>(slicesIn[status]).all(execution_id, limit);
  return {
    isOpen() {
      const phase = phaseOf(sql, execution_id);
      // A worker that does not know the run works.
      return phase === undefined || workersMayTake(phase);
    },
    queued: (limit) => select('queued', limit),
    inProcess: () => select('processing', -1),
    standing: (filename, attempt) => standingOf(sql, execution_id, { filename, attempt }, isAlive),
  };
}

function standingOf(
  sql: Prepare,
  executionId: string,
  { filename, attempt }: { filename: string; attempt: number },
  isAlive: LivenessTest,
): SliceStanding {
  const execution = sql<[string], { status: string }>(
    'SELECT status FROM workflow_executions WHERE execution_id = ?',
  ).get(executionId);
  // A worker that does not know the execution works, since the broker gave it the slice. One that has been pruned is known to be over.
  if (execution === undefined) return isRemoved(sql, executionId) ? 'over' : 'open';
  if (execution.status !== 'running') return 'over';
  const slice = sql<[string, string], { status: SliceStatus; attempt: number }>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).get(filename, executionId);
  if (slice === undefined || slice.attempt < attempt) return 'open';
  if (slice.attempt > attempt || slice.status === 'completed' || slice.status === 'failed') return 'over';
  const lost = lostStarts(sql, { execution_id: executionId, slice_filename: filename, attempt }, isAlive);
  return lost.length >= mostLostStarts ? 'given up' : 'open';
}
