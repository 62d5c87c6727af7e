import { sliceExpirySeconds, type UnsentRow } from '../db/log/outbox.ts';
import { vocabulary } from '../messages/vocabulary.ts';

/** Everybody who listens to the topic hears a message at once, or after an outage; later it is old news. */
const broadcastExpirySeconds = 24 * 3600;

/** The STOMP headers of a row (contract §3). */
export function wireHeaders(row: UnsentRow, namespace: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    msg_type: row.message_type,
    namespace: row.namespace ?? namespace,
    ...(row.run_id === null ? {} : { run_id: row.run_id }),
    vo: 'eic',
    persistent: 'true',
    ...expiryOf(row),
  };
}

function expiryOf({ message_type }: UnsentRow): { expires?: string } {
  const { destination } = vocabulary[message_type];
  // Results are the only copy of work done, so they do not expire.
  if (destination === 'results') return {};
  const seconds = destination === 'slices' ? sliceExpirySeconds : broadcastExpirySeconds;
  return { expires: String(Date.now() + seconds * 1000) };
}
