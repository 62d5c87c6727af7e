import type { Prepare } from '../sqlite/statements.ts';
import { afterPage, boundRange, chooseAccessPath, type RangedPath, scanEnd, within } from './access-path.ts';
import { both, clauseOf, countUpTo, directionOf, type ListQuery } from './list-query.ts';
import type { ListPage } from './page.ts';

/** Rows to scan for one page if no index leads to the matching rows. */
const pageScanLimit = 10_000;
/** Most rows to count along an index, by their words, and by scanning. */
const maxCounted = 10_000;
const maxCountedByWords = 2000;
const countScanLimit = 1000;
/** Up to this many candidates have their words searched singly. */
const fewRows = 300;

/**
 * Reads one page after a key: along an index to the matching rows, or past at most some thousand rows, so that no query takes long. Column names
 * come from this program, values are bound.
 */
export function listRows<Row extends { key: number }>(sql: Prepare, query: ListQuery): ListPage<Row> {
  const { page } = query;
  const path = chooseAccessPath(query);
  const range = boundRange(sql, query, path);
  const { found, scanStoppedAt } = readPage(sql, query, { ...path, range: afterPage(range, page) });
  const isAll = page.after === undefined && found.length <= page.limit && scanStoppedAt === undefined;
  const isCounted = query.total !== undefined || isAll || page.uncounted === true;
  const known = { n: query.total ?? found.length, isLowerBound: false };
  const counted = isCounted ? known : countRows(sql, query, { ...path, range });
  return {
    rows: found.slice(0, page.limit) as Row[],
    total_count: Math.max(counted.n, found.length),
    total_is_lower_bound: counted.isLowerBound,
    has_more: found.length > page.limit || scanStoppedAt !== undefined,
    scanStoppedAt,
  };
}

/** The rows of a page, and one more if there is one. */
function readPage(
  sql: Prepare,
  query: ListQuery,
  path: RangedPath,
  // Candidates mostly match the other conditions too, so try a few first.
  scanLimit = query.candidateKeys === undefined ? (query.scanLimit ?? pageScanLimit) : pageScanLimit / 20,
): { found: unknown[]; scanStoppedAt: number | undefined } {
  const { select, from, join = '', key, page } = query;
  const { where, source, scanStoppedAt } = scannedRows(sql, query, path, scanLimit);
  const fits = both(where, path.rest);
  const found = sql<unknown[]>(
    `SELECT ${select} FROM ${from} ${source} ${join} ${clauseOf(fits)} ORDER BY ${key} ${directionOf(page)} LIMIT ?`,
  ).all(...fits.values, page.limit + 1);
  if (found.length > page.limit) return { found, scanStoppedAt: undefined };
  const isFinal = scanStoppedAt === undefined || scanLimit >= pageScanLimit;
  return isFinal ? { found, scanStoppedAt } : readPage(sql, query, path, pageScanLimit);
}

/** The rows to scan, and the last of them if more follow. */
function scannedRows(sql: Prepare, query: ListQuery, path: RangedPath, scanLimit: number) {
  const { key, page, candidateKeys, narrowRange } = query;
  const { indexed, rest, source } = path;
  const range = narrowRange === undefined ? path.range : narrowRange(path.range, page.order);
  const narrowed = { ...path, range };
  if (candidateKeys !== undefined) {
    const isOnly = indexed.conditions.length + rest.conditions.length === 0;
    const limit = isOnly ? page.limit + 1 : scanLimit;
    const keys = candidateKeys({ ...range, order: page.order, limit, of: keysIfFew(sql, query, narrowed) });
    const chosen = { conditions: [`${key} IN (SELECT value FROM json_each(?))`], values: [JSON.stringify(keys)] };
    const scanStoppedAt = keys.length === limit ? keys.at(-1) : undefined;
    return { where: both(chosen, indexed), source: 'NOT INDEXED', scanStoppedAt };
  }
  const scanStoppedAt = rest.conditions.length === 0 ? undefined : scanEnd(sql, query, narrowed, scanLimit);
  const end = page.order === 'newest' ? 'from' : 'to';
  const scanned = scanStoppedAt === undefined ? range : { ...range, [end]: scanStoppedAt };
  return { where: both(indexed, within(key, scanned)), source, scanStoppedAt };
}

/** The keys along an index, if there are few. */
function keysIfFew(sql: Prepare, { from, key }: ListQuery, path: RangedPath): number[] | undefined {
  const { indexed, source, range } = path;
  if (indexed.conditions.length === 0) return undefined;
  const all = both(indexed, within(key, range));
  const keys = sql<unknown[], number>(
    `SELECT ${key} AS key FROM ${from} ${source} ${clauseOf(all)} ORDER BY ${key} LIMIT ${fewRows + 1}`,
  ).values(...all.values);
  return keys.length > fewRows ? undefined : keys;
}

/** Counts from the start of the list, the same on every page, as far as that is fast. */
function countRows(sql: Prepare, query: ListQuery, path: RangedPath): { n: number; isLowerBound: boolean } {
  const { from, candidateKeys, page } = query;
  const { indexed, rest, source, range } = path;
  const isIndexed = rest.conditions.length === 0;
  if (candidateKeys !== undefined && isIndexed && indexed.conditions.length === 0) {
    const { length } = candidateKeys({ ...range, order: page.order, limit: maxCountedByWords + 1 });
    return { n: Math.min(length, maxCountedByWords), isLowerBound: length > maxCountedByWords };
  }
  if (candidateKeys === undefined && isIndexed) {
    const all = both(indexed, within(query.key, range));
    const n = countUpTo(sql, `${from} ${source}`, all, maxCounted + 1);
    return { n: Math.min(n, maxCounted), isLowerBound: n > maxCounted };
  }
  const scanned = scannedRows(sql, query, path, query.scanLimit ?? countScanLimit);
  const fits = both(scanned.where, rest);
  const count = sql<unknown[], number>(`SELECT count(*) FROM ${from} ${scanned.source} ${clauseOf(fits)}`);
  return { n: count.value(...fits.values) ?? 0, isLowerBound: scanned.scanStoppedAt !== undefined };
}
