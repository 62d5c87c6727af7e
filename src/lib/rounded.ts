/** A number rounded to decimal digits: by default milliseconds of seconds. */
export const rounded = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits;
