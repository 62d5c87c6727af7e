import { anyKey, type KeyRange } from '../notes/key-range.ts';
import { keysWithin, type TimedTable } from '../notes/row-blocks.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { both, clauseOf, type Condition, directionOf, type ListQuery, nowhere, type Where } from './list-query.ts';
import type { Page } from './page.ts';

/** The index that a list walks along, and the conditions to check row by row. */
export interface AccessPath {
  /** As SQL: how SQLite should find the rows. */
  source: string;
  /** The conditions that the index serves. */
  indexed: Where;
  rest: Where;
}

/** An access path between two keys. */
export interface RangedPath extends AccessPath {
  range: KeyRange;
}

/** Chooses the first index all of whose conditions are given. */
export function chooseAccessPath({ conditions, indexes, window, time, instant = '?' }: ListQuery): AccessPath {
  const isGiven = (name: string): boolean => conditions[name]?.[1] !== undefined;
  const [index, served] = indexes.find(([, names]) => names.every(isGiven)) ?? [undefined, [] as string[]];
  const all: Record<string, Condition> = {
    ...conditions,
    'after start_time': [`${time} >= ${instant}`, window.start_time],
    'before end_time': [`${time} <= ${instant}`, window.end_time],
  };
  let [indexed, rest]: [Where, Where] = [nowhere, nowhere];
  for (const [name, [condition, value]] of Object.entries(all)) {
    if (value === undefined) continue;
    const one: Where = { conditions: [condition], values: [value] };
    if (served.includes(name)) indexed = both(indexed, one);
    else rest = both(rest, one);
  }
  return { source: index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`, indexed, rest };
}

/** The range of keys that holds all matching rows. */
export function boundRange(sql: Prepare, query: ListQuery, path: AccessPath): KeyRange {
  const { from, key, time, instant, blocksOf, madeAt, conditions, rangeBounds = [], candidateKeys } = query;
  const window = madeAt === undefined ? query.window : { end_time: query.window.end_time, start_time: undefined };
  const isTimed = blocksOf !== undefined && (window.start_time !== undefined || window.end_time !== undefined);
  const range = isTimed
    ? keysWithin(sql, { table: blocksOf, key, time: madeAt ?? time, instant } satisfies TimedTable, window)
    : { ...anyKey };
  const walks = rangeBounds.flatMap(([index, name]) => {
    const [condition, value] = conditions[name] ?? [];
    return condition === undefined || value === undefined
      ? []
      : [{ where: { conditions: [condition], values: [value] }, source: `INDEXED BY ${index}` }];
  });
  // Candidates are not found along the index, but its rows mostly lie together, which helps as much.
  if (candidateKeys !== undefined && path.indexed.conditions.length > 0)
    walks.push({ where: path.indexed, source: path.source });
  for (const { where, source } of walks) {
    const end = (direction: string): number | undefined =>
      sql<unknown[], number>(
        `SELECT ${key} FROM ${from} ${source} ${clauseOf(where)} ORDER BY ${key} ${direction} LIMIT 1`,
      ).value(...where.values);
    range.from = Math.max(range.from, end('ASC') ?? 1);
    range.to = Math.min(range.to, end('DESC') ?? 0);
  }
  return range;
}

/** The part of a range with this page and the following ones. */
export const afterPage = ({ from, to }: KeyRange, { order, after }: Page): KeyRange => {
  if (after === undefined) return { from, to };
  return order === 'newest' ? { from, to: Math.min(to, after - 1) } : { from: Math.max(from, after + 1), to };
};

/** A range of keys as conditions. */
export const within = (key: string, { from, to }: KeyRange): Where => {
  const lower: Where = from > anyKey.from ? { conditions: [`${key} >= ?`], values: [from] } : nowhere;
  const upper: Where = to < anyKey.to ? { conditions: [`${key} <= ?`], values: [to] } : nowhere;
  return both(lower, upper);
};

/** The key of the row at which `scanLimit` rows have been scanned; undefined if no rows follow it. */
export function scanEnd(sql: Prepare, query: ListQuery, path: RangedPath, scanLimit: number): number | undefined {
  const { from, key, page } = query;
  const { indexed, source, range } = path;
  const isNewest = page.order === 'newest';
  const twoKeys = (part: KeyRange, offset: number): number[] => {
    const all = both(indexed, within(key, part));
    return sql<unknown[], number>(
      `SELECT ${key} AS key FROM ${from} ${source} ${clauseOf(all)} ORDER BY ${key} ${directionOf(page)} LIMIT 2 OFFSET ?`,
    ).values(...all.values, offset);
  };
  if (indexed.conditions.length > 0) {
    const [last, next] = twoKeys(range, scanLimit - 1);
    return next === undefined ? undefined : last;
  }
  // In the table itself n keys are at most n rows, so rows need not be counted.
  const [first] = twoKeys(range, 0);
  if (first === undefined) return undefined;
  const last = isNewest ? first - scanLimit + 1 : first + scanLimit - 1;
  const beyond = isNewest ? { ...range, to: last - 1 } : { ...range, from: last + 1 };
  return twoKeys(beyond, 0).length === 0 ? undefined : last;
}
