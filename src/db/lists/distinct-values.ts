import type { Prepare } from '../sqlite/statements.ts';

/** Most values to collect. */
export const maxValues = 2000;

/**
 * The values of an indexed column, each found by one step along the index: as fast for many rows as for few. At most 2,000, sorted.
 * @param from the first value to return
 */
export const distinctValues = (sql: Prepare, table: string, column: string, from = ''): string[] =>
  sql<[string], string>(
    `WITH RECURSIVE d (v) AS (
       SELECT min(${column}) FROM ${table} WHERE ${column} >= ?
       UNION ALL SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > v) FROM d WHERE v IS NOT NULL LIMIT ${maxValues})
     SELECT v FROM d WHERE v IS NOT NULL`,
  ).values(from);
