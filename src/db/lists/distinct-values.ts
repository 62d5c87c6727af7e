import type { Prepare } from '../sqlite/statements.ts';

const most = 2000;

/** All values of an indexed column, each found by one step along the index: as fast for many rows as for few. */
export function distinctValues(sql: Prepare, table: string, column: string): string[] {
  return sql<[], { v: string }>(
    `WITH RECURSIVE d (v) AS (
       SELECT min(${column}) FROM ${table} WHERE ${column} IS NOT NULL
       UNION ALL SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > v) FROM d WHERE v IS NOT NULL LIMIT ${most})
     SELECT v FROM d WHERE v IS NOT NULL`,
  )
    .all()
    .map(({ v }) => v);
}
