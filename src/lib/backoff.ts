/**
 * How long to wait after this many failures in a row: `first` after one, doubled for each further one, at most `longest`. All are in the same unit of
 * time.
 */
export const backoff = (failures: number, { first, longest }: { first: number; longest: number }): number =>
  Math.min(longest, first * 2 ** (Math.max(1, failures) - 1));
