import { listColumns, type ListItem, type ListName } from '../../domain/list-columns.ts';
import type { KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** One page of a list, in the order of recording. */
export interface Page {
  order: 'newest' | 'oldest';
  limit: number;
  /** The key of the previous page's last row, or of the last row scanned for it. */
  after?: number | undefined;
  /** The caller wants only the last few rows and no count. */
  uncounted?: boolean;
}

export interface ListPage<Row> {
  rows: Row[];
  /** All rows that match the filter, on any page; fewer if counting stopped. */
  total_count: number;
  total_is_lower_bound: boolean;
  has_more: boolean;
  /** Set if the page ends early because enough rows were scanned. The next page continues after this key. */
  scanStoppedAt?: number | undefined;
  /** The order is by a value that may change, so the next page may repeat or miss a row. */
  mayShift?: boolean;
}

/** Rows to scan for a page if no index serves the conditions. Takes some tens of milliseconds. */
export const manyRows = 200_000;

/** Optional texts by their names. */
export type Texts<Name extends string> = { [K in Name]?: string | undefined };

/** A time window. Both ends are inclusive, as UTC in ISO 8601. */
export type Window = Texts<'start_time' | 'end_time'>;

/**
 * How a list finds its rows. Every list is a walk along one index in the order of its key, so that pages stay
 * put while rows are added and
 * nothing has to be sorted. For example `list_messages(execution_id="e", message_type="slice",
 * start_time="-1h")`:
 *
 * 1. `indexes` names `message_rows_type` for the conditions `execution` and `type`. Both are given, so the
 * walk goes along that index.
 * 2. The time is checked row by row. `time_blocks` gives the keys between which the last hour is, so the walk
 * is bounded.
 * 3. A page scans at most `scanLimit` rows. If that does not fill it, the page ends there with
 * `scanStoppedAt`.
 */
export interface ListQuery {
  select: string;
  from: string;
  /** Tables that each row needs but no condition uses. */
  join?: string;
  /** The column that rows are ordered by: a sequence that only grows. */
  key: string;
  time: string;
  /** As SQL: a bound time, which is ISO 8601, in the form of `time`; absent if that is text too. */
  instant?: string;
  /** The table whose times are noted in blocks; absent for short tables. */
  blocksOf?: string;
  /**
   * The column that the notes cover, if the window is on another one: nothing happens to a row before it is
   * created.
   */
  madeAt?: string;
  /** Rows to scan for one page, if more are worthwhile. */
  scanLimit?: number;
  conditions: Readonly<Record<string, Condition>>;
  /**
   * Indexes in the order of `key`, each with the names of the conditions it serves, best first. Queries name
   * the index, since SQLite prefers a shorter one as soon as two keys bound the range, and walks past all
   * rows that do not match.
   */
  indexes: readonly (readonly [index: string, conditions: readonly string[]])[];
  /**
   * Indexes of conditions whose rows lie close together, so that their first and last key bound the walk
   * along any other index.
   */
  rangeBounds?: readonly (readonly [index: string, condition: string])[];
  window: Window;
  /**
   * Finds the keys of the only candidates, for example by words, in the order of the page: at most `limit` of
   * those in the range.
   */
  candidateKeys?: ((part: CandidateRange) => number[]) | undefined;
  /** Narrows a range to the part that begins, in the order of the page, near the first row that fits. */
  narrowRange?: ((range: KeyRange, order: Page['order']) => KeyRange) | undefined;
  page: Page;
  /** How many rows there are, if known without counting. */
  total?: number | undefined;
}

/** A condition on a row, as SQL with one value. */
export type Given = readonly [sql: string, value: string | number];

/** Without a value it is ignored. */
export type Condition = Given | readonly [sql: string, value: undefined];

/** The keys to search: a range, or a few keys of it. */
export type CandidateRange = KeyRange & { order: Page['order']; limit: number; of?: readonly number[] | undefined };

export const clauseOf = (where: readonly Given[]) =>
  where.length === 0 ? '' : `WHERE ${where.map(([condition]) => condition).join(' AND ')}`;

export const valuesOf = (where: readonly Given[]) => where.map(([, value]) => value);

/** Counts rows, up to a limit. @param from as SQL: the tables */
export function countUpTo(sql: Prepare, from: string, where: readonly Given[], most: number): number {
  const count = sql<number>(`SELECT count(*) FROM (SELECT 1 FROM ${from} ${clauseOf(where)} LIMIT ${most})`);
  return count.value(...valuesOf(where)) ?? 0;
}

export const directionOf = ({ order }: Pick<Page, 'order'>) => (order === 'newest' ? 'DESC' : 'ASC');

/**
 * A row of a list: the columns of its items, with null for what is absent.
 * @template More what else the row has, or has in a different form
 * @template Made columns that are computed from the row
 */
export type RowOf<List extends ListName, More = unknown, Made = never> = More & { key: number } & {
  [Column in Exclude<keyof ListItem<List>, keyof More | Made>]-?:
    | Exclude<ListItem<List>[Column], undefined>
    | (undefined extends ListItem<List>[Column] ? null : never);
};

/**
 * As SQL: the columns of a list's rows.
 * @param others the SQL of what is not a column of its table; null: computed from the row
 */
export const columnsOf = (list: ListName, key: string, others: Readonly<Record<string, string | null>> = {}) =>
  [
    `${key} AS key`,
    ...Object.keys(listColumns(list)).filter((name) => !(name in others)),
    ...Object.entries(others).flatMap(([name, sql]) => (sql === null ? [] : `${sql} AS ${name}`)),
  ].join(', ');
