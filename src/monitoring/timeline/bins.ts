import type { Period } from './attempts.ts';

/** Equal parts of a period, in milliseconds since 1970. The last may extend beyond its end. */
export interface Bins {
  from: number;
  width: number;
  count: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Widths that people count in, in milliseconds. */
const widths = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 15, 30].map((n) => n * second),
  [1, 2, 5, 10, 15, 30].map((n) => n * minute),
  [1, 2, 6, 12].map((n) => n * hour),
  [1, 2, 7, 30].map((n) => n * day),
].flat();

/**
 * Bins of a window that stay put while an execution grows: they have round widths and count from its start. None is narrower than `least`, or it
 * would beat with the STF interval.
 * @param most largest number of bins
 */
export function binsOf({ from, until }: Period, { start, most, least }: Record<'start' | 'most' | 'least', number>) {
  const span = Math.max(1, until - from);
  const largest = widths.at(-1) as number;
  const width =
    // Leave room for one more, since a window begins and ends within bins.
    widths.find((one) => one >= least && span / one <= Math.max(1, most - 1)) ??
    Math.ceil(span / Math.max(1, most - 1) / largest) * largest;
  const first = Math.floor((from - start) / width);
  const last = Math.max(first, Math.floor((until - start) / width));
  return { from: start + first * width, width, count: last - first + 1 };
}

/** Index of the bin of a time: negative before the first, `count` or more after the last. */
export const binOf = ({ from, width }: Bins, time: number): number => Math.floor((time - from) / width);
