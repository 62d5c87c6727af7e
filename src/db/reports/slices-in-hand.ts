import type { SliceInHand } from '../../monitoring/facts.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isProcessAlive, type LivenessTest, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The first slices of an execution that stay failed. */
export function exhaustedSlices(sql: Prepare, executionId: string, limit: number): string[] {
  // Most failed slices have no attempt left. The next retry takes the others out of this list.
  return sql<[string, number], string>(
    `SELECT slice_filename FROM tf_slices INDEXED BY tf_slices_open
     WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ?`,
  ).values(executionId, limit);
}

/**
 * The slices that workers have begun and not ended, oldest first; no more than there are slots. A slice is lost if its worker's process is gone,
 * as far as this store knows the worker.
 */
export function slicesInHand(sql: Prepare, executionId: string, isAlive: LivenessTest): SliceInHand[] {
  const isGone = goneWorkers(sql, isAlive);
  return sql<[string], Omit<SliceInHand, 'isLost'>>(
    `SELECT slice_filename, assigned_worker, assigned_at AS since, attempt FROM tf_slices
     WHERE execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice} ORDER BY assigned_at, seq`,
  )
    .all(executionId)
    .map((slice) => ({ ...slice, isLost: isGone(slice) }));
}

/** Returns a test for whether the worker's process of a slice in hand is gone, as far as this store knows the worker. */
export function goneWorkers(sql: Prepare, isAlive: LivenessTest): (of: { assigned_worker: string | null }) => boolean {
  const known = new Map<string, boolean>();
  return ({ assigned_worker }) => {
    const [agent = '', slot] = (assigned_worker ?? '').split('/');
    // A name without a slot belongs to a worker of another program, not to an agent of this store.
    if (slot === undefined) return false;
    const before = known.get(agent);
    if (before !== undefined) return before;
    const row = sql<[string], ProcessSigns>(
      `SELECT ${signColumns} FROM system_agents JOIN processes USING (process_id) WHERE agent_name = ? AND heard_on IS NULL`,
    ).get(agent);
    const isGone = row !== undefined && !isProcessAlive(row, isAlive);
    known.set(agent, isGone);
    return isGone;
  };
}

/** How many slices each worker agent has in hand, over all executions, by agent name. */
export function slicesInHandByAgent(sql: Prepare): Map<string, number> {
  const rows = sql<[], { agent: string; n: number }>(
    `SELECT substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) AS agent, count(*) AS n
     FROM tf_slices INDEXED BY tf_slices_pending WHERE status = 'processing' AND ${indexPredicates.pendingSlice} GROUP BY 1`,
  ).all();
  return new Map(rows.map(({ agent, n }) => [agent, n]));
}
