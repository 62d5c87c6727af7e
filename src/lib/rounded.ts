/** A number rounded to decimal digits: by default milliseconds of seconds. */
export function rounded(value: number, digits = 3): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}

/** A share of work done, in percent, rounded down: 100 means all. @param digits decimal digits */
export const percentDone = (done: number, all: number, digits = 1) =>
  Math.floor((100 * 10 ** digits * done) / Math.max(1, all)) / 10 ** digits;
