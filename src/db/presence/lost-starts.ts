import { indexPredicates } from '../migrations/index-predicates.ts';
import { shortId } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';
import { isProcessAlive, type LivenessTest, type ProcessSigns } from './leases.ts';

/** An attempt is given up after this many lost starts, since the slice itself may kill its workers. */
export const maxLostStarts = 3;

export interface Attempt {
  execution_id: string;
  slice_filename: string;
  attempt: number;
}

interface LostStart {
  worker_id: string;
  hostname: string;
}

interface StartRow extends ProcessSigns {
  worker_id: string;
  recorded_at: string;
  registered_at: string;
}

/**
 * An attempt's lost starts: the worker's process died while the driver was alive. A worker that ended cleanly
 * returned its slice. A start that was lost because the whole run or the broker was interrupted does not count:
 * in that case, the worker is alive, or the driver began after the start.
 */
export function lostStarts(sql: Prepare, of: Attempt, isAlive: LivenessTest): LostStart[] {
  const prefix = `${of.execution_id}/slice_started/${of.slice_filename}/${of.attempt}/`;
  const rows = sql<StartRow>(
    `SELECT ${jsonField('body', 'worker_id')} AS worker_id, worker.pid, worker.pid_started, worker.hostname, worker.last_beat, worker.is_remote, m.recorded_at, worker.registered_at
     FROM workflow_messages AS m
       JOIN system_agents AS agent ON agent.agent_name = m.sender_agent AND agent.heard_on IS NULL
       JOIN processes AS worker ON worker.process_id = agent.process_id
       JOIN execution_owners AS owner ON owner.execution_id = ?
       JOIN processes AS driver ON driver.process_id = owner.process_id
     WHERE m.short_id >= ${shortId('?')} AND m.short_id < ${shortId('?')} AND m.effect = 'applied' AND agent.state <> 'EXITED'
       AND worker.process_id <> driver.process_id AND driver.registered_at <= m.recorded_at
     ORDER BY m.seq`,
  ).all(of.execution_id, prefix, `${prefix}\u{10FFFF}`);
  // A restarted remote worker keeps its name.
  const lost = rows.filter((row) => row.recorded_at < row.registered_at || !isProcessAlive(row, isAlive));
  return lost.map(({ worker_id, hostname }) => ({ worker_id, hostname }));
}

/**
 * Slices in progress whose current attempt has reached the maximum number of lost starts, each with its last
 * worker.
 * @param alsoLost lost starts of an attempt that are not in the log
 */
export function abandonedSlices(
  sql: Prepare,
  executionId: string,
  isAlive: LivenessTest,
  alsoLost: (attempt: Attempt) => number,
): (Attempt & LostStart & { slice_id: number; tf_filename: string })[] {
  const rows = sql<Attempt & LostStart & { slice_id: number; tf_filename: string; starts: number }>(
    `SELECT s.execution_id, slice_filename, slice_id, tf_filename, s.attempt, s.starts, assigned_worker AS worker_id, coalesce(hostname, '') AS hostname
     FROM tf_slices AS s WHERE s.execution_id = ? AND s.status = 'processing' AND ${indexPredicates.openSlice}`,
  ).all(executionId);
  return rows.flatMap(({ starts, ...row }) => {
    const also = alsoLost(row);
    if (starts + also < maxLostStarts) return [];
    const lost = lostStarts(sql, row, isAlive);
    return lost.length + also >= maxLostStarts ? [{ ...row, ...lost.at(-1) }] : [];
  });
}
