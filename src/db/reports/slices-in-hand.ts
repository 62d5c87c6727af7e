import { beatSeconds } from '../../domain/liveness.ts';
import type { SliceInHand } from '../../monitoring/facts.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isProcessAlive, type LivenessTest, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

const named = 5;

export function exhaustedSlices(sql: Prepare, executionId: string) {
  // Most failed slices have no attempts left. Each of the others leaves this list when it is retried.
  return sql<string>(
    `SELECT slice_filename FROM tf_slices INDEXED BY tf_slices_open
     WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice} ORDER BY seq LIMIT ${named}`,
  ).values(executionId);
}

/**
 * The slices that workers have started but not finished, oldest first. There are at most as many as there are
 * slots. A slice is lost if its worker is known to this store and the worker's process is gone.
 */
export function slicesInHand(sql: Prepare, executionId: string, isAlive: LivenessTest): SliceInHand[] {
  const isGone = goneWorkers(sql, isAlive);
  return sql<Omit<SliceInHand, 'isLost'>>(
    `SELECT slice_filename, assigned_worker, assigned_at AS since, attempt FROM tf_slices
     WHERE execution_id = ? AND status = 'processing' AND ${indexPredicates.openSlice} ORDER BY assigned_at, seq`,
  )
    .all(executionId)
    .map((slice) => ({ ...slice, isLost: isGone({ ...slice, assigned_at: slice.since }) }));
}

/** A process may start slices up to this many milliseconds before its first heartbeat arrives. */
const unheardMilliseconds = 2 * beatSeconds * 1000;

/**
 * Returns a test for whether the process that started a slice in hand is known to be gone: its agent has no
 * live process, or has one that was registered only after the slice was started.
 */
export function goneWorkers(
  sql: Prepare,
  isAlive: LivenessTest,
): (slice: { assigned_worker: string | null; assigned_at: string | null }) => boolean {
  /** When the live process of each agent was registered, in milliseconds since 1970. */
  const known = new Map<string, number>();
  const knownSince = (agent: string) => {
    const row = sql<ProcessSigns & { registered_at: string }>(
      `SELECT ${signColumns}, registered_at FROM system_agents JOIN processes USING (process_id) WHERE agent_name = ? AND heard_on IS NULL`,
    ).get(agent);
    if (row === undefined) return -Infinity;
    return isProcessAlive(row, isAlive) ? Date.parse(row.registered_at) : Infinity;
  };
  return ({ assigned_worker, assigned_at }) => {
    const [agent = '', slot] = (assigned_worker ?? '').split('/');
    // A name without a slot belongs to a worker of another program, not to an agent of this store.
    if (slot === undefined || assigned_at === null) return false;
    const since = known.get(agent) ?? knownSince(agent);
    known.set(agent, since);
    return since - unheardMilliseconds > Date.parse(assigned_at);
  };
}

/** Number of slices that each worker agent has in hand, across all executions, by agent name. */
export function slicesInHandByAgent(sql: Prepare) {
  const rows = sql<{ agent: string; n: number }>(
    `SELECT substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) AS agent, count(*) AS n
     FROM tf_slices INDEXED BY tf_slices_pending WHERE status = 'processing' AND ${indexPredicates.pendingSlice} GROUP BY 1`,
  ).all();
  return new Map(rows.map(({ agent, n }) => [agent, n]));
}
