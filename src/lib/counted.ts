/** A number with its noun: `1 slice`, `2 slices`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** Seconds for a sentence: whole from ten on, below to two digits, so that a short time is never `0 s`. */
export const shownSeconds = (seconds: number): string =>
  `${seconds >= 10 ? Math.round(seconds) : Number(Math.max(0, seconds).toPrecision(2))} s`;
