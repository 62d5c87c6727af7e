import type { Prepare } from '../sqlite/statements.ts';
import { anyKey, type KeyRange, keysWithin, type TimedTable } from './row-blocks.ts';

/** One page of a list, in the order of recording. */
export interface Page {
  order: 'newest' | 'oldest';
  limit: number;
  /** The key of the last row of the page before, or of the last that was looked at for it. */
  after?: number | undefined;
  /** The last few are wanted, and nobody asks how many there are. */
  uncounted?: boolean;
}

export interface ListPage<Row> {
  rows: Row[];
  /** All rows that fit the filter, on whatever page; or as many as were counted, where that is said to be less. */
  total_count: number;
  total_is_lower_bound: boolean;
  has_more: boolean;
  /** The page ends before it is full, since enough rows were looked at: the next one goes on after this key. */
  reached?: number | undefined;
}

/** What a row must be, as SQL with one value; one without a value asks for nothing. */
export type Condition = readonly [sql: string, value: string | number | undefined];

export interface Window {
  start_time?: string | undefined;
  end_time?: string | undefined;
}

export interface ListQuery {
  select: string;
  from: string;
  /** What else each row needs, that no condition is about. */
  join?: string;
  /** The column that rows are ordered by: a sequence that only grows, so that pages stay put while rows are added. */
  key: string;
  time: string;
  /** The table whose times are noted in blocks, for all but short ones. */
  blocksOf?: string;
  conditions: Readonly<Record<string, Condition>>;
  /**
   * Indexes in the order of `key`, and the names of the conditions that they lead along, the best first. They are named, since SQLite
   * takes a shorter index for a better one as soon as two keys bound the range, and walks past all that do not fit.
   */
  paths: readonly (readonly [index: string, conditions: readonly string[]])[];
  /** Indexes of conditions whose rows stand near each other, so that they bound the keys on any other path. */
  scopes?: readonly (readonly [index: string, condition: string])[];
  window: Window;
  /** Keys of the only rows that come into question, in the order of the page: at most `limit` of those in the range. */
  among?: ((part: Among) => number[]) | undefined;
  /** The part of the keys that come into question which begins, in the order of the page, near the first row that fits. */
  near?: ((range: KeyRange, order: Page['order']) => KeyRange) | undefined;
  page: Page;
  /** How many rows there are, where that is known without counting. */
  total?: number | undefined;
}

/** Which keys are asked for: of a range, or of a few. */
export type Among = KeyRange & { order: Page['order']; limit: number; of?: readonly number[] | undefined };

/** Rows that are looked at for one page where no index leads to those that fit. */
const mostLookedAt = 10_000;
/** Rows that are counted by an index, by their words, and by looking at each. */
const mostCounted = 10_000;
const mostCountedByWords = 2000;
const mostCountedByLook = 1000;
/** Rows whose words are looked at singly, where so few come into question. */
const fewRows = 300;

interface Part {
  where: string[];
  values: (string | number)[];
}

const both = (a: Part, b: Part): Part => ({ where: [...a.where, ...b.where], values: [...a.values, ...b.values] });
const clause = ({ where }: Part): string => (where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`);

/**
 * Reads one page after a key: along an index to the rows that fit, or past some thousand rows and no more, so that no question
 * takes long. Column names come from this program, values are bound.
 */
export function listRows<Row extends { key: number }>(sql: Prepare, query: ListQuery): ListPage<Row> {
  const { page } = query;
  const search: Search = split(query);
  const range = rangeOf(sql, query, search);
  const { found, reached } = read(sql, query, { ...search, range: afterPage(range, page) });
  const isAll = page.after === undefined && found.length <= page.limit && reached === undefined;
  const counted =
    query.total !== undefined || isAll || page.uncounted === true
      ? { n: query.total ?? found.length, isLess: false }
      : count(sql, query, { ...search, range });
  return {
    rows: found.slice(0, page.limit) as Row[],
    total_count: Math.max(counted.n, found.length),
    total_is_lower_bound: counted.isLess,
    has_more: found.length > page.limit || reached !== undefined,
    reached,
  };
}

/** The rows of a page and one more, where there is one; `reached` where enough were looked at before. */
function read(
  sql: Prepare,
  query: ListQuery,
  search: Ranged,
  // Rows with a word mostly fit the rest too: a few of them are enough at first.
  most = query.among === undefined ? mostLookedAt : mostLookedAt / 20,
): { found: unknown[]; reached: number | undefined } {
  const { select, from, join = '', key, page } = query;
  const { part, reached } = lookedAt(sql, query, { ...search, most });
  const fits = both(part, search.rest);
  const found = sql<unknown[]>(
    `SELECT ${select} FROM ${from} ${part.by} ${join} ${clause(fits)} ORDER BY ${key} ${page.order === 'newest' ? 'DESC' : 'ASC'} LIMIT ?`,
  ).all(...fits.values, page.limit + 1);
  if (found.length > page.limit) return { found, reached: undefined };
  return reached === undefined || most === mostLookedAt ? { found, reached } : read(sql, query, search, mostLookedAt);
}

/** The conditions that an index leads along, and the others. */
function split({ conditions, paths, window, time }: ListQuery): Search {
  const isGiven = (name: string): boolean => conditions[name]?.[1] !== undefined;
  const [index, chosen] = paths.find(([, names]) => names.every(isGiven)) ?? [undefined, [] as string[]];
  const [path, rest]: [Part, Part] = [
    { where: [], values: [] },
    { where: [], values: [] },
  ];
  const others: Record<string, Condition> = {
    ...conditions,
    'after start_time': [`${time} >= ?`, window.start_time],
    'before end_time': [`${time} <= ?`, window.end_time],
  };
  for (const [name, [condition, value]] of Object.entries(others)) {
    if (value === undefined) continue;
    const part = chosen.includes(name) ? path : rest;
    part.where.push(condition);
    part.values.push(value);
  }
  return { path, rest, by: index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}` };
}

/** The keys of all rows that may fit. */
function rangeOf(sql: Prepare, query: ListQuery, { path, by }: Search): KeyRange {
  const { from, key, time, blocksOf, window, conditions, scopes = [], among } = query;
  const isTimed = blocksOf !== undefined && (window.start_time !== undefined || window.end_time !== undefined);
  const range = isTimed ? keysWithin(sql, { table: blocksOf, key, time } satisfies TimedTable, window) : { ...anyKey };
  const walks: (Part & { by: string })[] = scopes.flatMap(([index, name]) => {
    const [condition, value] = conditions[name] ?? [];
    return condition === undefined || value === undefined
      ? []
      : [{ where: [condition], values: [value], by: `INDEXED BY ${index}` }];
  });
  // Keys that are found by words are not found along the path: that its rows mostly stand together helps as much.
  if (among !== undefined && path.where.length > 0) walks.push({ ...path, by });
  for (const walk of walks) {
    const end = (direction: string): number | undefined =>
      sql<unknown[], { key: number }>(
        `SELECT ${key} AS key FROM ${from} ${walk.by} ${clause(walk)} ORDER BY ${key} ${direction} LIMIT 1`,
      ).get(...walk.values)?.key;
    range.from = Math.max(range.from, end('ASC') ?? 1);
    range.to = Math.min(range.to, end('DESC') ?? 0);
  }
  return range;
}

const afterPage = ({ from, to }: KeyRange, { order, after }: Page): KeyRange => {
  if (after === undefined) return { from, to };
  return order === 'newest' ? { from, to: Math.min(to, after - 1) } : { from: Math.max(from, after + 1), to };
};

const within = (key: string, { from, to }: KeyRange): Part => {
  const bounds: [string, number][] = [
    ...(from > anyKey.from ? ([[`${key} >= ?`, from]] as [string, number][]) : []),
    ...(to < anyKey.to ? ([[`${key} <= ?`, to]] as [string, number][]) : []),
  ];
  return { where: bounds.map(([condition]) => condition), values: bounds.map(([, value]) => value) };
};

interface Search {
  path: Part;
  rest: Part;
  /** How SQLite is to find the rows of the path. */
  by: string;
}

interface Ranged extends Search {
  range: KeyRange;
}

/** The rows that are looked at, and the last of them where there are more. */
function lookedAt(
  sql: Prepare,
  query: ListQuery,
  { path, rest, by, range: whole, most }: Ranged & { most: number },
): { part: Part & { by: string }; reached: number | undefined } {
  const { key, page, among, near } = query;
  const range = near === undefined ? whole : near(whole, page.order);
  if (among !== undefined) {
    const isOnly = path.where.length + rest.where.length === 0;
    const limit = isOnly ? page.limit + 1 : most;
    const keys = among({ ...range, order: page.order, limit, of: fewOf(sql, query, { path, by, range }) });
    const chosen: Part = { where: [`${key} IN (SELECT value FROM json_each(?))`], values: [JSON.stringify(keys)] };
    const part = { ...both(chosen, path), by: 'NOT INDEXED' };
    return { part, reached: keys.length === limit ? keys.at(-1) : undefined };
  }
  const reached = rest.where.length === 0 ? undefined : lastLookedAt(sql, query, { path, by, range, most });
  const part =
    page.order === 'newest'
      ? { from: reached ?? range.from, to: range.to }
      : { from: range.from, to: reached ?? range.to };
  return { part: { ...both(path, within(key, part)), by }, reached };
}

/** The keys along a path, where there are few. */
function fewOf(
  sql: Prepare,
  { from, key }: ListQuery,
  { path, by, range }: Omit<Ranged, 'rest'>,
): number[] | undefined {
  if (path.where.length === 0) return undefined;
  const all = both(path, within(key, range));
  const rows = sql<unknown[], { key: number }>(
    `SELECT ${key} AS key FROM ${from} ${by} ${clause(all)} ORDER BY ${key} LIMIT ${fewRows + 1}`,
  ).all(...all.values);
  return rows.length > fewRows ? undefined : rows.map((row) => row.key);
}

/** The key of the row with which enough have been looked at; undefined where there are no more after it. */
function lastLookedAt(
  sql: Prepare,
  { from, key, page }: ListQuery,
  { path, by, range, most }: Omit<Ranged, 'rest'> & { most: number },
): number | undefined {
  const isNewest = page.order === 'newest';
  const two = (part: KeyRange, offset: number): number[] => {
    const all = both(path, within(key, part));
    return sql<unknown[], { key: number }>(
      `SELECT ${key} AS key FROM ${from} ${by} ${clause(all)} ORDER BY ${key} ${isNewest ? 'DESC' : 'ASC'} LIMIT 2 OFFSET ?`,
    )
      .all(...all.values, offset)
      .map((row) => row.key);
  };
  if (path.where.length > 0) {
    const [last, next] = two(range, most - 1);
    return next === undefined ? undefined : last;
  }
  // Of the table itself so many keys are at most so many rows, and need not be counted off.
  const [first] = two(range, 0);
  if (first === undefined) return undefined;
  const last = isNewest ? first - most + 1 : first + most - 1;
  const beyond = isNewest ? { ...range, to: last - 1 } : { ...range, from: last + 1 };
  return two(beyond, 0).length === 0 ? undefined : last;
}

/** Counts from the beginning of the list, the same on every page, as far as that is soon done. */
function count(sql: Prepare, query: ListQuery, { path, rest, by, range }: Ranged): { n: number; isLess: boolean } {
  const { from, among, page } = query;
  const isIndexed = rest.where.length === 0;
  if (among !== undefined && isIndexed && path.where.length === 0) {
    const { length } = among({ ...range, order: page.order, limit: mostCountedByWords + 1 });
    return { n: Math.min(length, mostCountedByWords), isLess: length > mostCountedByWords };
  }
  if (among === undefined && isIndexed) {
    const all = both(path, within(query.key, range));
    const n =
      sql<unknown[], { n: number }>(
        `SELECT count(*) AS n FROM (SELECT 1 FROM ${from} ${by} ${clause(all)} LIMIT ${mostCounted + 1})`,
      ).get(...all.values)?.n ?? 0;
    return { n: Math.min(n, mostCounted), isLess: n > mostCounted };
  }
  const { part, reached } = lookedAt(sql, query, { path, rest, by, range, most: mostCountedByLook });
  const fits = both(part, rest);
  const n = sql<unknown[], { n: number }>(`SELECT count(*) AS n FROM ${from} ${part.by} ${clause(fits)}`).get(
    ...fits.values,
  )?.n;
  return { n: n ?? 0, isLess: reached !== undefined };
}
