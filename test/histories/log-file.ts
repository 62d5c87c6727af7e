import { openReader } from '../../src/db/sqlite/open-reader.ts';
import { openStore } from '../../src/db/sqlite/open-store.ts';
import type { Effect, EffectCode } from '../../src/domain/effects.ts';
import { receiverOf } from '../receive.ts';

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
  /** Left out in histories that are older than codes. */
  code?: EffectCode;
  reason?: string;
}

const commands = new Set(['stop_workflow', 'pause_workflow', 'resume_workflow']);

/** The whole log of a store, in its order. */
export function readHistory(path: string): HistoryRow[] {
  const db = openReader(path);
  const rows = db.prepare(`SELECT * FROM workflow_messages ORDER BY seq`).all() as Record<string, unknown>[];
  db.close();
  return rows.map((row) => ({
    destination: row['destination'] as string,
    body: row['payload'] as string,
    sent_at: row['sent_at'] as string,
    recorded_at: row['recorded_at'] as string,
    ...(row['outbox_owner'] === null && row['outbox_sent_at'] !== null ? { from_broker: true as const } : {}),
    ...(commands.has(row['message_type'] as string)
      ? {
          applied: row['effect'] === 'applied',
          code: (row['effect_code'] ?? 'REFUSED') as EffectCode,
          reason: (row['effect_reason'] ?? '') as string,
        }
      : {}),
  }));
}

/** Reads a log into an empty store, message by message. */
export async function replay(history: readonly HistoryRow[], path: string): Promise<void> {
  const store = await openStore(path);
  const receive = receiverOf(store);
  for (const { destination, body, sent_at, recorded_at, from_broker = false, ...given } of history) {
    const circumstances = { isReplay: true, sentAt: sent_at, recordedAt: recorded_at, fromBroker: from_broker };
    const effect = given.applied === undefined ? {} : { effect: effectOf(given) };
    await store.write((tx) => receive(tx, destination, body, { ...circumstances, ...effect }));
  }
  store.close();
}

function effectOf({ applied, code = 'REFUSED', reason = '' }: Pick<HistoryRow, 'applied' | 'code' | 'reason'>): Effect {
  return applied === true ? { effect: 'applied' } : { effect: 'none', code, reason };
}
