/** A number rounded to decimal digits: by default milliseconds of seconds. */
export const rounded = (value: number, digits = 3) => Math.round(value * 10 ** digits) / 10 ** digits;

/** A share of work done, in percent, rounded down: 100 means all. @param digits decimal digits */
export const percentDone = (done: number, all: number, digits = 1) =>
  Math.floor((100 * 10 ** digits * done) / Math.max(1, all)) / 10 ** digits;
