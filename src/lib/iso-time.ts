const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Characters of a stored time: UTC in ISO 8601 with milliseconds and `Z`. */
export const timeLength = 24;

/**
 * The stored time at a position of a text, in milliseconds since 1970. For very many times: it takes a fifth of the time of `Date.parse`, which
 * handles years outside this century and the last.
 */
export function millisecondsAt(text: string, at: number): number {
  const digits = (of: number): number => (text.charCodeAt(at + of) - 48) * 10 + text.charCodeAt(at + of + 1) - 48;
  const year = digits(0) * 100 + digits(2);
  if (year < 1970 || year > 2099) return Date.parse(text.slice(at, at + timeLength));
  const month = digits(5);
  // Every fourth of these years is a leap year.
  const leapDays = Math.floor((month > 2 ? year : year - 1) / 4) - 492;
  const days = (year - 1970) * 365 + leapDays + (daysBefore[month - 1] ?? NaN) + digits(8) - 1;
  const seconds = ((days * 24 + digits(11)) * 60 + digits(14)) * 60 + digits(17);
  return seconds * 1000 + digits(20) * 10 + text.charCodeAt(at + 22) - 48;
}
