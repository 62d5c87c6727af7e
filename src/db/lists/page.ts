/** One page of a list, in the order of recording. */
export interface Page {
  order: 'newest' | 'oldest';
  limit: number;
  /** The key of the last row of the page before, or of the last row that was looked at for it. */
  after?: number | undefined;
  /** Only the last few are wanted, and nobody asks how many there are. */
  uncounted?: boolean;
}

export interface ListPage<Row> {
  rows: Row[];
  /** All rows that fit the filter, on whatever page; or fewer, where counting stopped. */
  total_count: number;
  total_is_lower_bound: boolean;
  has_more: boolean;
  /** The page ends before it is full, since enough rows were looked at. The next one goes on after this key. */
  scanStoppedAt?: number | undefined;
  /** It is in the order of a value that may change: behind it a row may come twice or be left out. */
  mayShift?: boolean;
}

/** Conditions that no index serves are looked at row by row: so many are looked at for a page, in some tens of milliseconds. */
export const manyRows = 200_000;

/** A time window. Both ends are inclusive, as UTC in ISO 8601. */
export interface Window {
  start_time?: string | undefined;
  end_time?: string | undefined;
}
