/**
 * Seconds for people: `3 ms`, `1.25 s`, `12.3 s`; from two minutes `2 min 5 s`, from one hour `1 h 2 min`.
 */
export function duration(seconds: number): string {
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 119.5) return `${seconds.toFixed(seconds < 99.95 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? withRest(minutes, 'min', whole % 60, 's')
    : withRest(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

const withRest = (n: number, unit: string, rest: number, restUnit: string) =>
  `${n} ${unit}${rest === 0 ? '' : ` ${rest} ${restUnit}`}`;

/** Like `duration`, but in whole seconds below two minutes, for values that are shown repeatedly. */
export const wholeDuration = (seconds: number) => (seconds < 119.5 ? `${Math.round(seconds)} s` : duration(seconds));

/**
 * Like `duration`, for a sentence: in whole seconds from ten seconds up, with two significant digits below
 * that, so that a short time is never `0 s`.
 */
export const roundDuration = (seconds: number) =>
  seconds < 9.95 ? `${Number(Math.max(0, seconds).toPrecision(2))} s` : wholeDuration(seconds);

/**
 * How long to wait after a number of failures in a row: `first` after one, doubled for each further one, at
 * most `longest`, all in the same unit.
 */
export const backoff = (failures: number, { first, longest }: { first: number; longest: number }) =>
  Math.min(longest, first * 2 ** (Math.max(1, failures) - 1));
