/** How long to wait after this many failures in a row, in the unit of both limits: `first` after one, doubled for each further one, at most `longest`. */
export const backoff = (failures: number, { first, longest }: { first: number; longest: number }): number =>
  Math.min(longest, first * 2 ** (Math.max(1, failures) - 1));
