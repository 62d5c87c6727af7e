import { logLevels } from '../../lib/logger.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Something that befell a process. */
interface Incident {
  /** Milliseconds since 1970. */
  at: number;
  message: string;
  context: Record<string, unknown>;
}

/** Logs what befell a process, as an error of each execution that it drove at that time. Returns the message. */
export function tellExecutions({ sql }: Transaction, processId: number, { at, message, context }: Incident): string {
  const time = new Date(at).toISOString();
  const lived = sql<
    [number, string],
    { execution_id: string; hostname: string; run_number: number | null; agent: string | null }
  >(
    `SELECT execution_id, hostname, run_number,
       (SELECT agent_name FROM system_agents WHERE process_id = o.process_id ORDER BY agent_type = 'daq_simulator' DESC LIMIT 1) AS agent
     FROM execution_owners AS o JOIN processes USING (process_id) JOIN workflow_executions USING (execution_id)
     WHERE process_id = ? AND (end_time IS NULL OR end_time >= ?)`,
  ).all(processId, time);
  for (const { execution_id, hostname, run_number, agent } of lived)
    sql<unknown[]>(
      'INSERT INTO app_logs (timestamp, level, agent, message, execution_id, run_id, context) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      time,
      logLevels.ERROR,
      agent ?? 'unknown',
      message,
      execution_id,
      run_number === null ? null : String(run_number),
      JSON.stringify({ ...context, hostname }),
    );
  return message;
}
