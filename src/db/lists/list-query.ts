import { listColumns, type ListItem, type ListName } from '../../domain/list-columns.ts';
import type { KeyRange } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** One page of a list, in the order of recording. */
export interface Page {
  order: 'newest' | 'oldest';
  limit: number;
  /** The key of the last row of the previous page, or of the last row scanned for that page. */
  after?: number | undefined;
  /** Whether the caller wants only the last few rows and no count. */
  uncounted?: boolean;
}

export interface ListPage<Row> {
  rows: Row[];
  /** Number of matching rows on all pages, or a lower number if counting stopped early. */
  total_count: number;
  total_is_lower_bound: boolean;
  has_more: boolean;
  /**
   * Set if the page ends early because the call has scanned the maximum number of rows. The next page continues
   * after this key.
   */
  scanStoppedAt?: number | undefined;
  /**
   * Whether the rows are ordered by a value that may change, in which case the next page may repeat or miss a
   * row.
   */
  mayShift?: boolean;
}

/**
 * How many rows to scan for a page if no index serves the conditions. This takes tens of milliseconds.
 */
export const manyRows = 200_000;

export type Texts<Name extends string> = { [K in Name]?: string | undefined };

/** A time window; both ends are inclusive, and are ISO 8601 in UTC. */
export type Window = Texts<'start_time' | 'end_time'>;

/**
 * How a list finds its rows. Every list walks along one index in key order, so that nothing has to be sorted,
 * and pages keep their rows while others are added. For example, `list_messages(execution_id="e",
 * message_type="slice", start_time="-1h")`:
 *
 * 1. `indexes` names `message_rows_type` for the conditions `execution` and `type`. Both conditions are
 * given, so the walk uses that index.
 * 2. The time is checked row by row. `time_blocks` gives the first and last key of the last hour, which bound
 * the walk.
 * 3. A page scans at most `scanLimit` rows. If these rows do not fill the page, it ends there with
 * `scanStoppedAt`.
 */
export interface ListQuery {
  select: string;
  from: string;
  /** Tables that are needed for each row but not for any condition. */
  join?: string;
  /** The column by which rows are ordered: a sequence that only grows. */
  key: string;
  time: string;
  /**
   * As SQL: converts a parameter from ISO 8601 to the form of `time`; absent if `time` is in ISO 8601 too.
   */
  instant?: string;
  /** The table, if the times of its blocks are noted; absent for short tables. */
  blocksOf?: string;
  /**
   * The creation time, which the block notes cover; present if the window applies to another column. A row
   * created after the window cannot match, since nothing happens to a row before it is created.
   */
  madeAt?: string;
  /** How many rows to scan for one page, if scanning more than usual is worthwhile. */
  scanLimit?: number;
  conditions: Readonly<Record<string, Condition>>;
  /**
   * Indexes in the order of `key`, the best first, each with the names of the conditions that it serves.
   * Queries name the index, since SQLite would otherwise prefer a shorter index once two keys bound the
   * range, and walk past all rows that do not match.
   */
  indexes: readonly (readonly [index: string, conditions: readonly string[]])[];
  /**
   * Indexes for conditions whose rows are close together, so that their first and last keys bound the walk
   * along any other index.
   */
  rangeBounds?: readonly (readonly [index: string, condition: string])[];
  window: Window;
  /**
   * Finds the keys of the candidates in the range (for example by a word search), in page order. Returns at
   * most `limit` keys.
   */
  candidateKeys?: ((part: CandidateRange) => number[]) | undefined;
  /** Narrows a range so that, in page order, it begins near the first matching row. */
  narrowRange?: ((range: KeyRange, order: Page['order']) => KeyRange) | undefined;
  page: Page;
  /** Number of matching rows, if known without counting. */
  total?: number | undefined;
}

/** A condition on a row, as SQL with one value. */
export type Given = readonly [sql: string, value: string | number];

/** A condition that is ignored if it has no value. */
export type Condition = Given | readonly [sql: string, value: undefined];

/** The keys to search: a range, or a few keys within it. */
export type CandidateRange = KeyRange & { order: Page['order']; limit: number; of?: readonly number[] | undefined };

export const clauseOf = (where: readonly Given[]) =>
  where.length === 0 ? '' : `WHERE ${where.map(([condition]) => condition).join(' AND ')}`;

export const valuesOf = (where: readonly Given[]) => where.map(([, value]) => value);

/** Counts rows, up to a limit. @param from as SQL: the tables */
export function countUpTo(sql: Prepare, from: string, where: readonly Given[], most: number) {
  const count = sql<number>(`SELECT count(*) FROM (SELECT 1 FROM ${from} ${clauseOf(where)} LIMIT ${most})`);
  return count.value(...valuesOf(where)) ?? 0;
}

export const directionOf = ({ order }: Pick<Page, 'order'>) => (order === 'newest' ? 'DESC' : 'ASC');

/**
 * A row of a list: the columns of the list's items, with null for absent values.
 * @template More other columns of the row, or columns with a different form
 * @template Made columns that are computed from the row
 */
export type RowOf<List extends ListName, More = unknown, Made = never> = More & { key: number } & {
  [Column in Exclude<keyof ListItem<List>, keyof More | Made>]-?:
    | Exclude<ListItem<List>[Column], undefined>
    | (undefined extends ListItem<List>[Column] ? null : never);
};

/**
 * As SQL: the columns of a list's rows.
 * @param others the SQL for columns that the list's table lacks; null for columns that are computed from the
 * row
 */
export const columnsOf = (list: ListName, key: string, others: Readonly<Record<string, string | null>> = {}) =>
  [
    `${key} AS key`,
    ...Object.keys(listColumns(list)).filter((name) => !(name in others)),
    ...Object.entries(others).flatMap(([name, sql]) => (sql === null ? [] : `${sql} AS ${name}`)),
  ].join(', ');
