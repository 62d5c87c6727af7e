import type { Page } from '../../../src/db/lists/list-query.ts';
import { listLogs, type LogFilter } from '../../../src/db/lists/logs.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import { makeStoreForAll, type TestStore } from '../../made-store.ts';

/** Lines of the log: more than twice as many as one page may check. */
const lines = 25_000;

/** Line n of the log was written n seconds after this time. */
const first = Date.parse('2026-01-01T00:00:00.000Z');

export const timeOf = (line: number): string => new Date(first + line * 1000).toISOString();

/** Lines whose host has a clock that is years ahead. */
export const ahead = '2030-01-01T00:00:00.000Z';

/** As SQL: the agent that wrote line n. Their numbers of lines are limits of counting or scanning, and one more. */
const agent = `CASE WHEN n <= 10000 THEN 'of 10,000' WHEN n <= 20001 THEN 'of 10,001'
  WHEN n <= 20301 THEN 'of 300' WHEN n <= 20602 THEN 'of 301' ELSE 'the rest' END`;

/** As SQL: the text of line n. */
const message = `'common' || iif(n % 5000 = 0, ' fifth', '') || iif(n <= 2000, ' twothousand', '') || iif(n <= 2001, ' onemore', '')`;

/** As SQL: the run of line n. Two have lines all over the log. */
const run = `CASE WHEN n BETWEEN 10001 AND 10003 THEN '8' WHEN n IN (14900, 24890, 24899, 24900) THEN '9'
  WHEN n % 83 = 0 THEN '300 apart' WHEN n % 83 = 1 AND n > 1 THEN '301 apart' END`;

/** A store with a log of many lines. */
export async function longLog(): Promise<TestStore> {
  const made = await makeStoreForAll();
  await made.store.write(({ sql }) =>
    sql(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${lines})
       INSERT INTO app_logs (timestamp, level, agent, message, run_id)
       SELECT iif(n IN (14900, 24899, 24900), '${ahead}', strftime('%Y-%m-%dT%H:%M:%fZ', ${first / 1000} + n, 'unixepoch')),
         iif(n IN (10000, 10001, 15000, 15001), 20, 10), ${agent}, ${message}, ${run} FROM numbers`,
    ).run(),
  );
  // The next write notes times and words of the blocks that are full.
  await made.store.write(() => {});
  return made;
}

/** A page as line numbers, with its count, whether more follow, and where its scan stopped. */
export function pageOf({ store }: TestStore, filter: LogFilter, page: Partial<Page> = {}) {
  const listed = listLogs(store.sql, filter, { order: 'newest', limit: 5, ...page }, createWordSearch(store.sql));
  return {
    lines: listed.rows.map(({ key }) => key),
    count: `${listed.total_is_lower_bound ? 'at least ' : ''}${listed.total_count}`,
    more: listed.has_more,
    stopped: listed.scanStoppedAt,
  };
}
