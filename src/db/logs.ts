import { type LogLevel, type LogLine, logLevels } from '../log.ts';
import { utcNow } from '../time.ts';
import { type Conditions, type ListPage, listRows, type Page } from './page.ts';
import type { Prepare } from './statements.ts';

export interface LogOrigin {
  agent: string;
  execution_id?: string;
  run_id?: string;
}

/** Writes a line into `app_logs`. Inside a transaction only. */
export type LogWriter = (line: LogLine, origin: LogOrigin) => void;

/** A writer that leaves out what is below `threshold`. */
export function createLogWriter(sql: Prepare, threshold: LogLevel): LogWriter {
  return ({ level, message, context }, { agent, execution_id, run_id }) => {
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

export interface LogRow {
  key: number;
  timestamp: string;
  level: number;
  agent: string;
  message: string;
  execution_id: string | null;
  run_id: string | null;
  context: string | null;
}

export interface LogFilter {
  execution_id?: string | undefined;
  run_id?: string | undefined;
  agent?: string | undefined;
  /** This level and above. */
  level?: number | undefined;
  /** A part of the message, whatever its case. */
  search?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

/** The first error that an agent logged: of several, the one that the others may follow from. */
export function firstError(
  sql: Prepare,
  executionId: string,
): { timestamp: string; agent: string; message: string; log_id: number } | undefined {
  return sql<[string], { timestamp: string; agent: string; message: string; log_id: number }>(
    'SELECT timestamp, agent, message, log_id FROM app_logs WHERE execution_id = ? AND level >= 40 ORDER BY log_id LIMIT 1',
  ).get(executionId);
}

export function listLogs(sql: Prepare, filter: LogFilter, page: Page): ListPage<LogRow> {
  const conditions: Conditions = [
    ['execution_id = ?', filter.execution_id],
    ['run_id = ?', filter.run_id],
    ['agent = ?', filter.agent],
    ['level >= ?', filter.level],
    ['instr(lower(message), lower(?)) > 0', filter.search],
    ['timestamp >= ?', filter.start_time],
    ['timestamp <= ?', filter.end_time],
  ];
  return listRows<LogRow>(sql, {
    select: 'log_id AS key, timestamp, level, agent, message, execution_id, run_id, context',
    from: 'app_logs',
    key: 'log_id',
    conditions,
    page,
  });
}
