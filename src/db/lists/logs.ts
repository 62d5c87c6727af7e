import { logLevels } from '../../lib/logger.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { logWords } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { columnsOf, type Page, type RowOf, type Texts, type Window } from './list-query.ts';
import { listRows } from './list-rows.ts';
import type { WordSearch } from './word-search.ts';

type LogRow = RowOf<'list_logs', { level: number }, 'log_id'>;

export interface LogFilter extends Window, Texts<'execution_id' | 'run_id' | 'agent'> {
  /** Only lines at this level or above. */
  level?: number | undefined;
  /** Words in the message. */
  search?: string | undefined;
}

/**
 * The FTS5 condition for a level and all levels above it; it finds rare lines quickly among frequent ones.
 */
function atLevel(level: number) {
  if (level === 0) return undefined;
  // No line matches a level above the highest known one.
  const levels = [level, ...Object.values(logLevels).filter((one) => one > level)];
  return `level : (${levels.map((one) => `"${one}"`).join(' OR ')})`;
}

export function listLogs(sql: Prepare, filter: LogFilter, page: Page, findWords: WordSearch) {
  const { level = 0, search } = filter;
  const { WARNING, ERROR } = logLevels;
  return listRows<LogRow>(sql, {
    select: columnsOf('list_logs', 'log_id', { log_id: null }),
    from: 'app_logs',
    key: 'log_id',
    time: 'timestamp',
    blocksOf: 'app_logs',
    conditions: {
      execution: ['execution_id = ?', filter.execution_id],
      run: ['run_id = ?', filter.run_id],
      agent: ['agent = ?', filter.agent],
      // The indexes on warnings and on errors cover the whole condition, so lines found through them need no
      // further check.
      error: [`${indexPredicates.error} AND ? >= ${ERROR}`, level >= ERROR ? level : undefined],
      warning: [
        `${indexPredicates.warning} AND ? >= ${WARNING}`,
        level >= WARNING && level < ERROR ? level : undefined,
      ],
      level: ['level >= ?', level === WARNING || level === ERROR ? undefined : filter.level],
    },
    indexes: [
      ['app_logs_trouble', ['execution', 'error']],
      ['app_logs_errors', ['error']],
      ['app_logs_agent', ['agent']],
      ['app_logs_execution', ['execution']],
      ['app_logs_run', ['run']],
      ['app_logs_warnings', ['warning']],
    ],
    rangeBounds: [
      ['app_logs_execution', 'execution'],
      ['app_logs_run', 'run'],
    ],
    window: filter,
    candidateKeys:
      search === undefined ? undefined : (part) => findWords(logWords, { text: search, and: atLevel(level) }, part),
    page,
  });
}
