import { argumentInvalid } from '../../lib/errors.ts';
import { keysWithin, type TimedTable } from '../notes/row-blocks.ts';
import { anyKey, type KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import {
  clauseOf,
  type Condition,
  countUpTo,
  directionOf,
  type Given,
  type ListPage,
  type ListQuery,
  type Page,
  valuesOf,
} from './list-query.ts';

/** Number of rows to scan for one page if no index leads to the matching rows. */
const pageScanLimit = 10_000;
/** Maximum numbers of rows to count along an index, by words, and by scanning. */
const maxCounted = 10_000;
const maxCountedByWords = 2000;
const countScanLimit = 1000;
/** If an index leads to at most this many rows, words are searched for only in them. */
const fewRows = 300;

/**
 * Reads one page after a key: finds the matching rows along an index, or scans a limited number of rows, so
 * that no query takes long. Column names come from this program, and values are bound.
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

/** The rows of a page, plus the next row if there is one. */
function readPage(
  sql: Prepare,
  query: ListQuery,
  path: RangedPath,
  // Candidates usually match the other conditions too, so try a few first.
  scanLimit = query.candidateKeys === undefined ? (query.scanLimit ?? pageScanLimit) : pageScanLimit / 20,
): { found: unknown[]; scanStoppedAt: number | undefined } {
  const { select, from, join = '', key, page } = query;
  const { where, source, scanStoppedAt } = scannedRows(sql, query, path, scanLimit);
  const fits = [...where, ...path.rest];
  const found = sql<unknown[]>(
    `SELECT ${select} FROM ${from} ${source} ${join} ${clauseOf(fits)} ORDER BY ${key} ${directionOf(page)} LIMIT ?`,
  ).all(...valuesOf(fits), page.limit + 1);
  if (found.length > page.limit) return { found, scanStoppedAt: undefined };
  const isFinal = scanStoppedAt === undefined || scanLimit >= pageScanLimit;
  return isFinal ? { found, scanStoppedAt } : readPage(sql, query, path, pageScanLimit);
}

/** How to find the rows to scan, and the key of the last row to scan if more rows follow. */
function scannedRows(sql: Prepare, query: ListQuery, path: RangedPath, scanLimit: number) {
  const { key, page, candidateKeys, narrowRange } = query;
  const { indexed, rest, source } = path;
  const range = narrowRange === undefined ? path.range : narrowRange(path.range, page.order);
  const narrowed = { ...path, range };
  if (candidateKeys !== undefined) {
    const isOnly = indexed.length + rest.length === 0;
    const limit = isOnly ? page.limit + 1 : scanLimit;
    const keys = candidateKeys({ ...range, order: page.order, limit, of: keysIfFew(sql, query, narrowed) });
    const chosen = [`${key} IN (SELECT value FROM json_each(?))`, JSON.stringify(keys)] as const;
    const scanStoppedAt = keys.length === limit ? keys.at(-1) : undefined;
    return { where: [chosen, ...indexed], source: 'NOT INDEXED', scanStoppedAt };
  }
  const scanStoppedAt = rest.length === 0 ? undefined : scanEnd(sql, query, narrowed, scanLimit);
  const end = page.order === 'newest' ? 'from' : 'to';
  const scanned = scanStoppedAt === undefined ? range : { ...range, [end]: scanStoppedAt };
  return { where: [...indexed, ...within(key, scanned)], source, scanStoppedAt };
}

/** The keys along an index, if there are only a few. */
function keysIfFew(sql: Prepare, { from, key }: ListQuery, path: RangedPath) {
  if (path.indexed.length === 0) return undefined;
  const all = [...path.indexed, ...within(key, path.range)];
  const keys = sql<number>(
    `SELECT ${key} AS key FROM ${from} ${path.source} ${clauseOf(all)} ORDER BY ${key} LIMIT ${fewRows + 1}`,
  ).values(...valuesOf(all));
  return keys.length > fewRows ? undefined : keys;
}

/**
 * Counts from the start of the list, so that every page has the same count; stops before counting takes too
 * long.
 */
function countRows(sql: Prepare, query: ListQuery, path: RangedPath) {
  const { from, candidateKeys, page } = query;
  const { indexed, rest, source, range } = path;
  const isIndexed = rest.length === 0;
  if (candidateKeys !== undefined && isIndexed && indexed.length === 0) {
    const { length } = candidateKeys({ ...range, order: page.order, limit: maxCountedByWords + 1 });
    return { n: Math.min(length, maxCountedByWords), isLowerBound: length > maxCountedByWords };
  }
  if (candidateKeys === undefined && isIndexed) {
    const all = [...indexed, ...within(query.key, range)];
    const n = countUpTo(sql, `${from} ${source}`, all, maxCounted + 1);
    return { n: Math.min(n, maxCounted), isLowerBound: n > maxCounted };
  }
  const scanned = scannedRows(sql, query, path, query.scanLimit ?? countScanLimit);
  const fits = [...scanned.where, ...rest];
  const count = sql<number>(`SELECT count(*) FROM ${from} ${scanned.source} ${clauseOf(fits)}`);
  return { n: count.value(...valuesOf(fits)) ?? 0, isLowerBound: scanned.scanStoppedAt !== undefined };
}

/** Maximum number of rows to read while a caller waits; reading them takes about half a second. */
const maxLookedAt = 500_000;

/**
 * Reads one page in the order of a value instead of the order of recording. Reads all rows along the index.
 * The key of a row is its position in that order, and a page continues after a position, so if rows change
 * between pages, a row may appear twice or be missed. Throws `ARGUMENT_INVALID` if there are too many rows.
 * @param by as SQL: the value
 */
export function listSorted<Row extends { key: number }>(sql: Prepare, query: ListQuery, by: string): ListPage<Row> {
  const { select, from, join = '', key, page } = query;
  const { indexed, rest, source } = chooseAccessPath(query);
  const rowsOf = `${from} ${source}`;
  if (countUpTo(sql, rowsOf, indexed, maxLookedAt + 1) > maxLookedAt)
    throw argumentInvalid(
      `order_by would have to sort more than ${maxLookedAt} rows; narrow the selection by execution_id, a status other than completed, or a file`,
    );
  const fits = [...indexed, ...rest];
  const after = page.after ?? 0;
  const rows = sql<Row>(
    `SELECT ${select} FROM ${rowsOf} ${join} ${clauseOf(fits)}
     ORDER BY ${by} ${directionOf(page)} NULLS LAST, ${key} LIMIT ? OFFSET ?`,
  ).all(...valuesOf(fits), page.limit + 1, after);
  return {
    rows: rows.slice(0, page.limit).map((row, index) => ({ ...row, key: after + index + 1 })),
    total_count: countUpTo(sql, rowsOf, fits, maxLookedAt),
    total_is_lower_bound: false,
    has_more: rows.length > page.limit,
    mayShift: true,
  };
}

/** The index that a list walks, and the conditions to check row by row. */
interface AccessPath {
  /** As SQL: how SQLite should find the rows. */
  source: string;
  indexed: readonly Given[];
  rest: readonly Given[];
}

/** An access path, limited to a range of keys. */
interface RangedPath extends AccessPath {
  range: KeyRange;
}

const isGiven = (condition: Condition | undefined): condition is Given => condition?.[1] !== undefined;

/** Chooses the first index for which all conditions are given. */
function chooseAccessPath({ conditions, indexes, window, time, instant = '?' }: ListQuery): AccessPath {
  const [index, served = []] = indexes.find(([, names]) => names.every((name) => isGiven(conditions[name]))) ?? [];
  const all: [string, Condition][] = [
    ...Object.entries(conditions),
    ['after start_time', [`${time} >= ${instant}`, window.start_time]],
    ['before end_time', [`${time} <= ${instant}`, window.end_time]],
  ];
  const given = (isServed: boolean) =>
    all.flatMap(([name, condition]) => (served.includes(name) === isServed && isGiven(condition) ? [condition] : []));
  return {
    source: index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`,
    indexed: given(true),
    rest: given(false),
  };
}

/** The range of keys that contains all matching rows. */
function boundRange(sql: Prepare, query: ListQuery, path: AccessPath): KeyRange {
  const { from, key, time, instant, blocksOf, madeAt, conditions, rangeBounds = [], candidateKeys } = query;
  const window = madeAt === undefined ? query.window : { end_time: query.window.end_time, start_time: undefined };
  const isTimed = blocksOf !== undefined && (window.start_time !== undefined || window.end_time !== undefined);
  const range = isTimed
    ? keysWithin(sql, { table: blocksOf, key, time: madeAt ?? time, instant } satisfies TimedTable, window)
    : { ...anyKey };
  // Rows found by the index alone need no bounds.
  const isServed = path.rest.length === 0 && candidateKeys === undefined;
  const walks = (isServed ? [] : rangeBounds).map(([index, name]) => ({
    where: [conditions[name]].filter(isGiven) as readonly Given[],
    source: `INDEXED BY ${index}`,
  }));
  // The candidates are found without the index, but the rows that the index finds are usually close together,
  // so those rows bound the range too.
  if (candidateKeys !== undefined) walks.push({ where: path.indexed, source: path.source });
  for (const { where, source } of walks) {
    if (where.length === 0) continue;
    const end = (direction: string) =>
      sql<number>(`SELECT ${key} FROM ${from} ${source} ${clauseOf(where)} ORDER BY ${key} ${direction} LIMIT 1`).value(
        ...valuesOf(where),
      );
    range.from = Math.max(range.from, end('ASC') ?? 1);
    range.to = Math.min(range.to, end('DESC') ?? 0);
  }
  return range;
}

/** The part of a range that contains this page and the following ones. */
const afterPage = ({ from, to }: KeyRange, { order, after }: Page): KeyRange => {
  if (after === undefined) return { from, to };
  return order === 'newest' ? { from, to: Math.min(to, after - 1) } : { from: Math.max(from, after + 1), to };
};

const within = (key: string, { from, to }: KeyRange): Given[] => [
  ...(from > anyKey.from ? [[`${key} >= ?`, from] as const] : []),
  ...(to < anyKey.to ? [[`${key} <= ?`, to] as const] : []),
];

/** The key of the row at which `scanLimit` rows have been scanned; undefined if no rows follow it. */
function scanEnd(sql: Prepare, query: ListQuery, path: RangedPath, scanLimit: number) {
  const { from, key, page } = query;
  const { indexed, source, range } = path;
  const isNewest = page.order === 'newest';
  const twoKeys = (part: KeyRange, offset: number) => {
    const all = [...indexed, ...within(key, part)];
    return sql<number>(
      `SELECT ${key} AS key FROM ${from} ${source} ${clauseOf(all)} ORDER BY ${key} ${directionOf(page)} LIMIT 2 OFFSET ?`,
    ).values(...valuesOf(all), offset);
  };
  if (indexed.length > 0) {
    const [last, next] = twoKeys(range, scanLimit - 1);
    return next === undefined ? undefined : last;
  }
  // In the table itself, a range of n keys has at most n rows, so rows need not be counted.
  const [first] = twoKeys(range, 0);
  if (first === undefined) return undefined;
  const last = isNewest ? first - scanLimit + 1 : first + scanLimit - 1;
  const beyond = isNewest ? { ...range, to: last - 1 } : { ...range, from: last + 1 };
  return twoKeys(beyond, 0).length === 0 ? undefined : last;
}
