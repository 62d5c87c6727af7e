import type { KeyRange } from '../notes/key-range.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Page, Window } from './page.ts';

/**
 * How a list finds its rows. Every list is a walk along one index in the order of its key, so that pages stay put while rows are added and
 * nothing has to be sorted. For example `list_messages(execution_id="e", message_type="slice", start_time="-1h")`:
 *
 * 1. `indexes` names `message_rows_type` for the conditions `execution` and `type`. Both are given, so the walk goes along that index.
 * 2. The time is checked row by row. `time_blocks` gives the keys between which the last hour is, so the walk is bounded.
 * 3. A page scans at most `scanLimit` rows. If that does not fill it, the page ends there with `scanStoppedAt`.
 */
export interface ListQuery {
  select: string;
  from: string;
  /** Tables that each row needs but no condition uses. */
  join?: string;
  /** The column that rows are ordered by: a sequence that only grows. */
  key: string;
  time: string;
  /** As SQL: a bound time, which is ISO 8601, in the form of `time`; left out if that is text too. */
  instant?: string;
  /** The table whose times are noted in blocks; left out for short tables. */
  blocksOf?: string;
  /** The column that the notes cover, if the window is on another one: nothing happens to a row before it is made. */
  madeAt?: string;
  /** Rows to scan for one page, if more are worthwhile. */
  scanLimit?: number;
  conditions: Readonly<Record<string, Condition>>;
  /**
   * Indexes in the order of `key`, each with the names of the conditions it serves, best first. Queries name the index, since SQLite prefers a
   * shorter one as soon as two keys bound the range, and walks past all rows that do not match.
   */
  indexes: readonly (readonly [index: string, conditions: readonly string[]])[];
  /** Indexes of conditions whose rows lie close together, so that their first and last key bound the walk along any other index. */
  rangeBounds?: readonly (readonly [index: string, condition: string])[];
  window: Window;
  /** Finds the keys of the only candidates, for example by words, in the order of the page: at most `limit` of those in the range. */
  candidateKeys?: ((part: CandidateRange) => number[]) | undefined;
  /** Narrows a range to the part that begins, in the order of the page, near the first row that fits. */
  narrowRange?: ((range: KeyRange, order: Page['order']) => KeyRange) | undefined;
  page: Page;
  /** How many rows there are, if known without counting. */
  total?: number | undefined;
}

/** A condition on a row, as SQL with one value. Without a value it is ignored. */
export type Condition = readonly [sql: string, value: string | number | undefined];

/** The keys to search: a range, or a few keys of it. */
export type CandidateRange = KeyRange & { order: Page['order']; limit: number; of?: readonly number[] | undefined };

/** Conditions as SQL with their values. */
export interface Where {
  conditions: string[];
  values: (string | number)[];
}

export const nowhere: Where = { conditions: [], values: [] };

export const both = (a: Where, b: Where): Where => ({
  conditions: [...a.conditions, ...b.conditions],
  values: [...a.values, ...b.values],
});

export const clauseOf = ({ conditions }: Where): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;

/** Counts rows, at most so many. @param from as SQL: the tables */
export function countUpTo(sql: Prepare, from: string, where: Where, most: number): number {
  const count = sql<unknown[], number>(`SELECT count(*) FROM (SELECT 1 FROM ${from} ${clauseOf(where)} LIMIT ${most})`);
  return count.value(...where.values) ?? 0;
}

export const directionOf = ({ order }: Pick<Page, 'order'>): 'DESC' | 'ASC' => (order === 'newest' ? 'DESC' : 'ASC');
