import { keysWithin, type TimedTable } from '../notes/row-blocks.ts';
import { anyKey, type KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import {
  clauseOf,
  type Condition,
  directionOf,
  type Given,
  type ListQuery,
  type Page,
  valuesOf,
} from './list-query.ts';

/** The index that a list walks along, and the conditions to check row by row. */
interface AccessPath {
  /** As SQL: how SQLite should find the rows. */
  source: string;
  /** The conditions that the index serves. */
  indexed: readonly Given[];
  rest: readonly Given[];
}

/** An access path between two keys. */
export interface RangedPath extends AccessPath {
  range: KeyRange;
}

const isGiven = (condition: Condition | undefined): condition is Given => condition?.[1] !== undefined;

/** Chooses the first index all of whose conditions are given. */
export function chooseAccessPath({ conditions, indexes, window, time, instant = '?' }: ListQuery): AccessPath {
  const [index, served = []] = indexes.find(([, names]) => names.every((name) => isGiven(conditions[name]))) ?? [];
  const all: [string, Condition][] = [
    ...Object.entries(conditions),
    ['after start_time', [`${time} >= ${instant}`, window.start_time]],
    ['before end_time', [`${time} <= ${instant}`, window.end_time]],
  ];
  const given = (isServed: boolean): Given[] =>
    all.flatMap(([name, condition]) => (served.includes(name) === isServed && isGiven(condition) ? [condition] : []));
  return {
    source: index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`,
    indexed: given(true),
    rest: given(false),
  };
}

/** The range of keys that holds all matching rows. */
export function boundRange(sql: Prepare, query: ListQuery, path: AccessPath): KeyRange {
  const { from, key, time, instant, blocksOf, madeAt, conditions, rangeBounds = [], candidateKeys } = query;
  const window = madeAt === undefined ? query.window : { end_time: query.window.end_time, start_time: undefined };
  const isTimed = blocksOf !== undefined && (window.start_time !== undefined || window.end_time !== undefined);
  const range = isTimed
    ? keysWithin(sql, { table: blocksOf, key, time: madeAt ?? time, instant } satisfies TimedTable, window)
    : { ...anyKey };
  const walks = rangeBounds.map(([index, name]) => ({
    where: [conditions[name]].filter(isGiven) as readonly Given[],
    source: `INDEXED BY ${index}`,
  }));
  // Candidates are not found along the index, but its rows mostly lie together, which helps as much.
  if (candidateKeys !== undefined) walks.push({ where: path.indexed, source: path.source });
  for (const { where, source } of walks) {
    if (where.length === 0) continue;
    const end = (direction: string) =>
      sql<unknown[], number>(
        `SELECT ${key} FROM ${from} ${source} ${clauseOf(where)} ORDER BY ${key} ${direction} LIMIT 1`,
      ).value(...valuesOf(where));
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
export const within = (key: string, { from, to }: KeyRange): Given[] => [
  ...(from > anyKey.from ? [[`${key} >= ?`, from] as const] : []),
  ...(to < anyKey.to ? [[`${key} <= ?`, to] as const] : []),
];

/** The key of the row at which `scanLimit` rows have been scanned; undefined if no rows follow it. */
export function scanEnd(sql: Prepare, query: ListQuery, path: RangedPath, scanLimit: number): number | undefined {
  const { from, key, page } = query;
  const { indexed, source, range } = path;
  const isNewest = page.order === 'newest';
  const twoKeys = (part: KeyRange, offset: number): number[] => {
    const all = [...indexed, ...within(key, part)];
    return sql<unknown[], number>(
      `SELECT ${key} AS key FROM ${from} ${source} ${clauseOf(all)} ORDER BY ${key} ${directionOf(page)} LIMIT 2 OFFSET ?`,
    ).values(...valuesOf(all), offset);
  };
  if (indexed.length > 0) {
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
