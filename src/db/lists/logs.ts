import { type LogLevel, type LogLine, logLevels } from '../../lib/logger.ts';
import { utcNow } from '../../lib/time.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { type ListPage, listRows, type Page } from './page.ts';
import type { SearchedTable, WordSearch } from './word-search.ts';

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
  /** Words of the message. */
  search?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

/** Lines from a level on, for the search of words: what is rare is found among what is frequent. */
function atLevel(level: number): string | undefined {
  if (level === 0) return undefined;
  // No line is above all levels.
  const levels = [level, ...Object.values(logLevels).filter((one) => one > level)];
  return `level : (${levels.map((one) => `"${one}"`).join(' OR ')})`;
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

const searched: SearchedTable = {
  table: 'app_logs',
  words: 'log_words',
  texts: { from: 'log_texts', key: 'log_id', columns: ['text', 'level'] },
};

export function listLogs(sql: Prepare, filter: LogFilter, page: Page, findWords: WordSearch): ListPage<LogRow> {
  const { level = 0, search } = filter;
  return listRows<LogRow>(sql, {
    select: 'log_id AS key, timestamp, level, agent, message, execution_id, run_id, context',
    from: 'app_logs',
    key: 'log_id',
    time: 'timestamp',
    blocksOf: 'app_logs',
    conditions: {
      execution: ['execution_id = ?', filter.execution_id],
      run: ['run_id = ?', filter.run_id],
      agent: ['agent = ?', filter.agent],
      // In the words of the indexes of the few lines that matter most; they need not be looked at to be counted.
      error: ['level >= 40 AND ? >= 40', level >= 40 ? level : undefined],
      warning: ['level >= 30 AND ? >= 30', level >= 30 && level < 40 ? level : undefined],
      level: ['level >= ?', level === 30 || level === 40 ? undefined : filter.level],
    },
    paths: [
      ['app_logs_trouble', ['execution', 'error']],
      ['app_logs_errors', ['error']],
      ['app_logs_agent', ['agent']],
      ['app_logs_execution', ['execution']],
      ['app_logs_run', ['run']],
      ['app_logs_warnings', ['warning']],
    ],
    scopes: [
      ['app_logs_execution', 'execution'],
      ['app_logs_run', 'run'],
    ],
    window: filter,
    among:
      search === undefined ? undefined : (part) => findWords(searched, { text: search, and: atLevel(level) }, part),
    page,
  });
}
