/** Bounds of a back-off, in any one unit of time. */
export interface BackoffBounds {
  first: number;
  longest: number;
}

/** How long to wait after this many failures in a row: `first` after one, doubled for each further one, at most `longest`. In the unit of the bounds. */
export const backoff = (failures: number, { first, longest }: BackoffBounds): number =>
  Math.min(longest, first * 2 ** (Math.max(1, failures) - 1));
