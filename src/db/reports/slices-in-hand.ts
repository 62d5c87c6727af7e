import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isProcessAlive, type LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The first slices of an execution that have stayed failed. */
export function exhaustedSlices(sql: Prepare, executionId: string, limit: number): string[] {
  // Most failed slices have no attempt left. The next retry takes the others out of this list.
  return sql<[string, number], { slice_filename: string }>(
    `SELECT slice_filename FROM tf_slices
     WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ?`,
  )
    .all(executionId, limit)
    .map(({ slice_filename }) => slice_filename);
}

/** How long the slices in hand have been so, on average, in seconds; undefined where none is. */
export function secondsInHand(sql: Prepare, executionId: string, now: number): number | undefined {
  const row = sql<[string], { begun: number | null }>(
    `SELECT avg(unixepoch(assigned_at, 'subsec')) AS begun FROM tf_slices
     WHERE execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice}`,
  ).get(executionId);
  return row?.begun === null || row === undefined ? undefined : Math.max(0, now / 1000 - row.begun);
}

interface InHandRow extends ProcessIdentity {
  slice: string;
  worker: string;
  last_beat: string;
}

/** Slices in hand whose worker's process is gone, as far as this store knows the worker. */
export function lostSlices(
  sql: Prepare,
  executionId: string,
  isAlive: LivenessTest,
): { worker: string; slice: string }[] {
  return sql<[string], InHandRow>(
    `SELECT slice_filename AS slice, assigned_worker AS worker, pid, pid_started, hostname, last_beat
     FROM tf_slices AS s
       JOIN system_agents ON agent_name = substr(assigned_worker, 1, instr(assigned_worker, '/') - 1)
       JOIN processes USING (process_id)
     WHERE s.execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice} ORDER BY s.seq`,
  )
    .all(executionId)
    .filter((row) => !isProcessAlive(row, isAlive))
    .map(({ worker, slice }) => ({ worker, slice }));
}
