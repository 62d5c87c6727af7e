import type { ProcessIdentity } from '../../lib/process-identity.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { isProcessAlive, type LivenessTest } from './leases.ts';

/** Gives this process the lease of the store's durable subscription, unless a living process has it. Returns whether this one has it. */
export function claimListener(
  { sql }: Transaction,
  namespace: string,
  processId: number,
  isAlive: LivenessTest,
): boolean {
  const holder = sql<[string], ProcessIdentity & { process_id: number; last_beat: string }>(
    `SELECT process_id, pid, pid_started, hostname, last_beat FROM broker_listeners JOIN processes USING (process_id) WHERE namespace = ?`,
  ).get(namespace);
  if (holder !== undefined && holder.process_id !== processId && isProcessAlive(holder, isAlive)) return false;
  sql(
    `INSERT INTO broker_listeners (namespace, process_id) VALUES (?, ?)
     ON CONFLICT (namespace) DO UPDATE SET process_id = excluded.process_id`,
  ).run(namespace, processId);
  return true;
}
