import { type LogLevel, type LogLine, logLevels } from '../../lib/logger.ts';
import { utcNow } from '../../lib/time.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The agent that says a line, and the execution that it is about. */
export interface LogOrigin {
  agent: string;
  execution_id?: string;
  run_id?: string;
}

/** Writes a line into `app_logs`. */
export type LogLineWriter = (tx: Transaction, line: LogLine, origin: LogOrigin) => void;

/** A writer that leaves out lines below `threshold`. */
export function createLogLineWriter(threshold: LogLevel): LogLineWriter {
  return ({ sql }, { level, message, context }, { agent, execution_id, run_id }) => {
    if (logLevels[level] < logLevels[threshold]) return;
    sql(
      'INSERT INTO app_logs (timestamp, level, agent, message, execution_id, run_id, context) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      utcNow(),
      logLevels[level],
      agent,
      message,
      execution_id ?? null,
      run_id ?? null,
      context === undefined ? null : JSON.stringify(context),
    );
  };
}
