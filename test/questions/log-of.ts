import { openReader } from '../../src/db/opening/open-reader.ts';
import type { Answer } from '../helpers.ts';

/** A message as the log has it; the expected answers are counted from these alone. */
export interface Logged {
  message_id: string;
  message_type: string;
  sender_agent: string;
  execution_id: string;
  recorded_at: string;
  effect: string;
  body: Answer;
}

/** The messages of a store in their order, read without the code under test. */
export function logOf(store: string): Logged[] {
  const db = openReader(store);
  const rows = db
    .prepare<[], Omit<Logged, 'body'> & { payload: string }>(
      'SELECT message_id, message_type, sender_agent, execution_id, recorded_at, effect, payload FROM workflow_messages ORDER BY seq',
    )
    .all();
  db.close();
  return rows.map(({ payload, ...row }) => ({ ...row, body: JSON.parse(payload) as Answer }));
}

/** The messages up to and including one of them. */
export const upTo = (log: readonly Logged[], messageId: string): Logged[] =>
  log.slice(0, log.findIndex(({ message_id }) => message_id === messageId) + 1);

const name = ({ body }: Logged): string => body['slice_filename'] as string;

/** The status of each slice after these messages; the last message about it decides. */
export function standOfSlices(log: readonly Logged[]): Map<string, 'queued' | 'processing' | 'completed' | 'failed'> {
  const stands = new Map<string, 'queued' | 'processing' | 'completed' | 'failed'>();
  for (const row of log) {
    if (row.effect !== 'applied') continue;
    if (row.message_type === 'slice') stands.set(name(row), 'queued');
    if (row.message_type === 'slice_started') stands.set(name(row), 'processing');
    if (row.message_type === 'slice_result')
      stands.set(name(row), row.body['state'] === 'done' ? 'completed' : 'failed');
  }
  return stands;
}
