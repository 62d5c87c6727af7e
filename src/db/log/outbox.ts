import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { utcNow } from '../../lib/time.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { isProcessAlive, type LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A row of the log that its owner has still to send over the broker. */
export interface UnsentRow {
  seq: number;
  message_id: string;
  message_type: MessageType;
  namespace: string | null;
  run_id: string | null;
  payload: string;
}

export function unsentRows(sql: Prepare, processId: number, after: number, limit: number): UnsentRow[] {
  return sql<[number, number, number], UnsentRow>(
    `SELECT seq, message_id, message_type, namespace, run_id, payload FROM workflow_messages
     WHERE outbox_owner = ? AND outbox_sent_at IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
  ).all(processId, after, limit);
}

/** Notes the broker's receipts. */
export function markSent({ sql }: Transaction, seqs: readonly number[]): void {
  const now = utcNow();
  for (const seq of seqs) sql('UPDATE message_rows SET outbox_sent_at = ? WHERE seq = ?').run(now, seq);
}

/** Whether a message that had to be sent has been. A message that nobody has to send counts as sent. */
export function isSent(sql: Prepare, messageId: string): boolean {
  const row = sql<[string], { open: number }>(
    'SELECT outbox_owner IS NOT NULL AND outbox_sent_at IS NULL AS open FROM message_rows WHERE message_id = ?',
  ).get(messageId);
  return row?.open !== 1;
}

/** Takes over unsent rows of processes that are gone, of the types that this process speaks for. Returns the number of rows. */
export function takeOverUnsent(
  { sql }: Transaction,
  processId: number,
  types: readonly MessageType[],
  isAlive: LivenessTest,
): number {
  const owners = sql<[number], ProcessIdentity & { process_id: number; last_beat: string }>(
    `SELECT process_id, pid, pid_started, hostname, last_beat FROM processes
     WHERE process_id <> ? AND process_id IN (
       SELECT DISTINCT outbox_owner FROM message_rows WHERE outbox_owner IS NOT NULL AND outbox_sent_at IS NULL)`,
  ).all(processId);
  const gone = owners.filter((owner) => !isProcessAlive(owner, isAlive)).map((owner) => owner.process_id);
  const update = sql<unknown[]>(
    `UPDATE message_rows SET outbox_owner = ?
     WHERE outbox_owner = ? AND outbox_sent_at IS NULL AND type_no IN ${typeNumbers(types)}`,
  );
  return gone.reduce((rows, owner) => rows + update.run(processId, owner).changes, 0);
}

/** A slice's message expires on its queue after so long: a broker must not keep the work of a forgotten run for ever. */
export const sliceExpirySeconds = 12 * 3600;

/** Marks queued slices as unsent whose message has expired without a start. */
export function renewExpiredSlices({ sql }: Transaction, processId: number): void {
  const expired = new Date(Date.now() - sliceExpirySeconds * 1000).toISOString();
  sql(
    `UPDATE message_rows SET outbox_owner = ?, outbox_sent_at = NULL
     WHERE type_no = ${numberOf(`'slice'`)} AND outbox_sent_at < ? AND message_id IN (
       SELECT execution_id || '/slice/' || slice_filename || '/' || attempt FROM tf_slices
       WHERE status = 'queued' AND execution_id IN (SELECT execution_id FROM workflow_executions WHERE status = 'running' AND over_broker))`,
  ).run(processId, expired);
}
