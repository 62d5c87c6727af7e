import { createRecorder } from '../../src/db/log/message-writer.ts';
import { openReader, openStore } from '../../src/db/sqlite/open-store.ts';

/** A row of the log as it has to be known to read the log again: one line of JSON in a recorded history. */
export interface HistoryRow {
  destination: string;
  body: string;
  sent_at: string;
  recorded_at: string;
  /** It came over a broker. */
  from_broker?: true;
  /** The effect that its driver gave a command, which nothing else in the log tells. */
  applied?: boolean;
  reason?: string;
}

const commands = new Set(['stop_workflow', 'pause_workflow', 'resume_workflow']);

/** The whole log of a store, in its order. */
export function readHistory(path: string): HistoryRow[] {
  const db = openReader(path);
  const rows = db.prepare('SELECT * FROM workflow_messages ORDER BY seq').all() as Record<string, unknown>[];
  db.close();
  return rows.map((row) => ({
    destination: row['destination'] as string,
    body: row['payload'] as string,
    sent_at: row['sent_at'] as string,
    recorded_at: row['recorded_at'] as string,
    ...(row['outbox_owner'] === null && row['outbox_sent_at'] !== null ? { from_broker: true as const } : {}),
    ...(commands.has(row['message_type'] as string)
      ? { applied: row['effect'] === 'applied', reason: (row['effect_reason'] ?? '') as string }
      : {}),
  }));
}

/** Reads a log into an empty store, message by message. */
export async function replay(history: readonly HistoryRow[], path: string): Promise<void> {
  const store = await openStore(path);
  const recorder = createRecorder(store.db);
  for (const { destination, body, sent_at, recorded_at, from_broker = false, applied, reason = '' } of history) {
    const circumstances = { isReplay: true, sentAt: sent_at, recordedAt: recorded_at, fromBroker: from_broker };
    const effect =
      applied === undefined
        ? {}
        : { effect: applied ? { effect: 'applied' as const } : { effect: 'none' as const, reason } };
    await store.write(() => recorder.recordBody(destination, body, { ...circumstances, ...effect }));
  }
  store.close();
}
