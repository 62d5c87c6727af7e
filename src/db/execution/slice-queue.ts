import type { LeftSlice, OpenSlice, SliceQueue, SliceStanding } from '../../agents/ports.ts';
import { workersMayTake } from '../../domain/run-phases.ts';
import type { SliceStatus } from '../../domain/slice-states.ts';
import { removalOf } from '../log/removals.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { type Attempt, lostStarts, maxLostStarts } from '../presence/lost-starts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { phaseOf } from './overview.ts';

const columns = 'slice_id, slice_filename, tf_filename, stf_filename, tf_first, tf_last, tf_count, attempt';

const queuedSlices = `SELECT ${columns} FROM tf_slices
  WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ?`;

const slicesInHand = `SELECT ${columns}, assigned_worker AS worker_id, coalesce(hostname, '') AS hostname FROM tf_slices
  WHERE execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice} ORDER BY seq`;

export const openSliceQueue = (sql: Prepare, execution_id: string, isAlive: LivenessTest): SliceQueue => ({
  isOpen() {
    const phase = phaseOf(sql, execution_id);
    // A worker works on a run it does not know.
    return phase === undefined || workersMayTake(phase);
  },
  queued: (limit) => sql<[string, number], OpenSlice>(queuedSlices).all(execution_id, limit),
  inProcess: () => sql<[string], LeftSlice>(slicesInHand).all(execution_id),
  standing: (filename, attempt) => standingOf(sql, { execution_id, slice_filename: filename, attempt }, isAlive),
});

function standingOf(sql: Prepare, of: Attempt, isAlive: LivenessTest): SliceStanding {
  const { execution_id, slice_filename, attempt } = of;
  const ofExecution = sql<[string], string>('SELECT status FROM workflow_executions WHERE execution_id = ?');
  const status = ofExecution.value(execution_id);
  // An unknown execution is open, since the broker sent its slice. A pruned one is known to be over.
  if (status === undefined) return removalOf(sql, execution_id) === undefined ? 'open' : 'over';
  if (status !== 'running') return 'over';
  const slice = sql<[string, string], { status: SliceStatus; attempt: number }>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).get(slice_filename, execution_id);
  if (slice === undefined || slice.attempt < attempt) return 'open';
  if (slice.attempt > attempt || slice.status === 'completed' || slice.status === 'failed') return 'over';
  return lostStarts(sql, of, isAlive).length >= maxLostStarts ? 'given up' : 'open';
}
