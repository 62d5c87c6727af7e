/** Bounds of a back-off, in any one unit of time. */
export interface BackoffBounds {
  first: number;
  longest: number;
}

/**
 * How long to wait after so many failures in a row: `first` after one, twice as long after each further one, `longest` at most. In the unit of the
 * bounds.
 */
export const backoff = (failures: number, { first, longest }: BackoffBounds): number =>
  Math.min(longest, first * 2 ** (Math.max(1, failures) - 1));
