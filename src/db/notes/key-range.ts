/** Keys of rows, both ends included. */
export interface KeyRange {
  from: number;
  to: number;
}

/** The end of the rows at which a page begins. */
export type Order = 'newest' | 'oldest';

export const anyKey: KeyRange = { from: 0, to: Number.MAX_SAFE_INTEGER };
