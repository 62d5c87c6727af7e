/** Rounds a value to a number of decimal digits; the default rounds seconds to milliseconds. */
export function rounded(value: number, digits = 3) {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}

/** A share of work done, in percent, rounded down: 100 means all. @param digits decimal digits */
export const percentDone = (done: number, all: number, digits = 1) =>
  Math.floor((100 * 10 ** digits * done) / Math.max(1, all)) / 10 ** digits;
