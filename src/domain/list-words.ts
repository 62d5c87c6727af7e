/** The words that request lists by other times and in other orders than those of recording. */

/** The time of a row that a window applies to. */
export const timeFields = ['created', 'started', 'completed'] as const;

export type TimeField = (typeof timeFields)[number];

/** The orders of slices. `seconds`: from the start of the attempt to its end. */
export const sliceOrders = ['recorded', 'seconds', 'retries'] as const;

export type SliceOrder = (typeof sliceOrders)[number];
