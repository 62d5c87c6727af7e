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
