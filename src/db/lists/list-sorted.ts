import type { Prepare } from '../sqlite/statements.ts';
import { chooseAccessPath } from './access-path.ts';
import { both, clauseOf, type ListQuery } from './list-query.ts';
import type { ListPage } from './page.ts';

/**
 * Reads one page in the order of a value instead of the order of recording. All rows that fit are looked at, so the caller bounds them. The
 * key of a row is its place in that order, and a page goes on behind a place: while rows change, one may come twice or not at all.
 */
export function listSorted<Row extends { key: number }>(sql: Prepare, query: ListQuery, by: string): ListPage<Row> {
  const { select, from, join = '', key, page } = query;
  const { indexed, rest, source } = chooseAccessPath(query);
  const fits = both(indexed, rest);
  const after = page.after ?? 0;
  const direction = page.order === 'newest' ? 'DESC' : 'ASC';
  const rows = sql<unknown[], Row>(
    `SELECT ${select} FROM ${from} ${source} ${join} ${clauseOf(fits)}
     ORDER BY ${by} ${direction} NULLS LAST, ${key} LIMIT ? OFFSET ?`,
  ).all(...fits.values, page.limit + 1, after);
  const total = sql<unknown[], { n: number }>(`SELECT count(*) AS n FROM ${from} ${source} ${clauseOf(fits)}`).get(
    ...fits.values,
  )?.n;
  return {
    rows: rows.slice(0, page.limit).map((row, index) => ({ ...row, key: after + index + 1 })),
    total_count: total ?? rows.length,
    total_is_lower_bound: false,
    has_more: rows.length > page.limit,
  };
}
