import { insertLogLine, type LogLineRow } from '../log/log-lines.ts';
import { isExecution } from '../log/rows.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** How many of an agent's newest lines to search for a repeated line. */
const newest = 30;

/** Writes a line into `app_logs`, once: a logger resends unanswered lines. Returns its number. @param at ISO 8601 in UTC: their own times have no zone */
export function insertToldLine(tx: Transaction, line: Omit<LogLineRow, 'timestamp'>, at: string): number {
  const { sql } = tx;
  const { agent, message, execution_id } = line;
  const context = JSON.stringify(line.context);
  const known = sql<[string], { log_id: number; message: string; context: string | null }>(
    `SELECT log_id, message, context FROM app_logs WHERE agent = ? ORDER BY log_id DESC LIMIT ${newest}`,
  )
    .all(agent)
    .find((one) => one.message === message && one.context === context);
  if (known !== undefined) return known.log_id;
  const isKnown = typeof execution_id === 'string' && isExecution(sql, execution_id);
  return insertLogLine(tx, { ...line, timestamp: at, execution_id: isKnown ? execution_id : undefined });
}

/** Writes the lines of recordings, each once: those that were there before are read once for each agent. `at`: when it was received, ISO 8601 */
export function toldLineReader() {
  const known = new Map<string, Set<string>>();
  return (tx: Transaction, line: Omit<LogLineRow, 'timestamp'>, at: string): void => {
    const { agent, message } = line;
    let lines = known.get(agent);
    if (lines === undefined) {
      const before = tx.sql<[string], string>(`SELECT timestamp || ' ' || message FROM app_logs WHERE agent = ?`);
      known.set(agent, (lines = new Set(before.values(agent))));
    }
    // A line of this reading that comes again is told apart by those before it: what a failed transaction wrote is not there.
    if (!lines.has(`${at} ${message}`)) insertToldLine(tx, line, at);
  };
}
