import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The last sign of life of a process: a heartbeat, or a message or log line of its agents. `at` is UTC in ISO 8601. */
interface LastSign {
  at: string;
  by: 'beat' | 'message' | 'log';
}

/** A killed process dies between two heartbeats; its agents may have sent messages since the last one. */
export function lastSignOf(sql: Prepare, { process_id, last_beat }: { process_id: number; last_beat: string }) {
  const signs: LastSign[] = [{ at: last_beat, by: 'beat' }];
  const agents = sql<[number], string>('SELECT agent_name FROM system_agents WHERE process_id = ?').values(process_id);
  for (const agent of agents) {
    const message = sql<[string], string>(
      `SELECT ${messageColumns.recorded_at} FROM message_rows WHERE sender_no = ${numberOf('?')} ORDER BY seq DESC LIMIT 1`,
    ).value(agent);
    const line = sql<[string], string>(
      'SELECT timestamp FROM app_logs WHERE agent = ? ORDER BY log_id DESC LIMIT 1',
    ).value(agent);
    if (message !== undefined) signs.push({ at: message, by: 'message' });
    if (line !== undefined) signs.push({ at: line, by: 'log' });
  }
  return signs.reduce((last, sign) => (sign.at > last.at ? sign : last));
}
