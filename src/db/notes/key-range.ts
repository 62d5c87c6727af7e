/** Keys of rows, both ends included. */
export interface KeyRange {
  from: number;
  to: number;
}

export const anyKey: KeyRange = { from: 0, to: Number.MAX_SAFE_INTEGER };
