import { type LogLevel, type LogLine, logLevels } from '../../lib/logger.ts';
import { utcNow } from '../../lib/time.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The agent that logs a line, and the execution that the line is about. */
type LogOrigin = Pick<LogLineRow, 'agent' | 'execution_id' | 'run_id'>;

export type LogLineWriter = (tx: Transaction, line: LogLine, origin: LogOrigin) => void;

/** A writer that skips lines below `threshold`. */
export function createLogLineWriter(threshold: LogLevel): LogLineWriter {
  return (tx, { level, message, context }, origin) => {
    if (logLevels[level] < logLevels[threshold]) return;
    insertLogLine(tx, { timestamp: utcNow(), level: logLevels[level], message, context, ...origin });
  };
}

export interface LogLineRow {
  /** ISO 8601. */
  timestamp: string;
  /** Python's log levels: 10 to 50. */
  level: number;
  agent: string;
  message: string;
  execution_id?: string | null | undefined;
  run_id?: string | null | undefined;
  context?: object | undefined;
}

/** Writes a line to `app_logs`, with its position among the messages. Returns the number of the line. */
export function insertLogLine({ sql }: Transaction, line: LogLineRow) {
  const { timestamp, level, agent, message, execution_id = null, run_id = null, context } = line;
  const shown = context === undefined ? null : JSON.stringify(context);
  const { lastInsertRowid } = sql(
    `INSERT INTO app_logs (timestamp, level, agent, message, execution_id, run_id, context, after_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) FROM message_rows))`,
  ).run(timestamp, level, agent, message, execution_id, run_id, shown);
  return Number(lastInsertRowid);
}
