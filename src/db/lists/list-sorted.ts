import { argumentInvalid } from '../../lib/errors.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { chooseAccessPath } from './access-path.ts';
import { both, clauseOf, countUpTo, directionOf, type ListQuery } from './list-query.ts';
import type { ListPage } from './page.ts';

/** Most rows to read while a caller waits: they take about half a second. */
const maxLookedAt = 500_000;

/**
 * Reads one page in the order of a value instead of the order of recording. Reads all rows along the index. The key of a row is its position in
 * that order, and a page continues after a position: while rows change, one may appear twice or be missed. Throws `ARGUMENT_INVALID` if there are
 * too many.
 * @param by as SQL: the value
 */
export function listSorted<Row extends { key: number }>(sql: Prepare, query: ListQuery, by: string): ListPage<Row> {
  const { select, from, join = '', key, page } = query;
  const { indexed, rest, source } = chooseAccessPath(query);
  const rowsOf = `${from} ${source}`;
  if (countUpTo(sql, rowsOf, indexed, maxLookedAt + 1) > maxLookedAt)
    throw argumentInvalid(
      `order_by would have to sort more than ${maxLookedAt} rows; narrow them, by execution_id, a status other than completed, or a file`,
    );
  const fits = both(indexed, rest);
  const after = page.after ?? 0;
  const rows = sql<unknown[], Row>(
    `SELECT ${select} FROM ${rowsOf} ${join} ${clauseOf(fits)}
     ORDER BY ${by} ${directionOf(page)} NULLS LAST, ${key} LIMIT ? OFFSET ?`,
  ).all(...fits.values, page.limit + 1, after);
  return {
    rows: rows.slice(0, page.limit).map((row, index) => ({ ...row, key: after + index + 1 })),
    total_count: countUpTo(sql, rowsOf, fits, maxLookedAt),
    total_is_lower_bound: false,
    has_more: rows.length > page.limit,
    mayShift: true,
  };
}
