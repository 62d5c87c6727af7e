/** A time with a zone: `Z` or an offset. Everything else is naive. */
const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$/i;

/** Now, as UTC in ISO 8601 with milliseconds: the one form in which times are stored and compared. */
export function utcNow(): string {
  return new Date().toISOString();
}

/** Messages of one step say the same time. */
let last: { text: string; utc: string | undefined } | undefined;

/** A time with a zone in the one stored form, or undefined for anything else (a naive time says too little). */
export function toUtc(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (last?.text !== text) last = { text, utc: parseZoned(text) };
  return last.utc;
}

function parseZoned(text: string): string | undefined {
  if (!zoned.test(text)) return undefined;
  const date = new Date(text);
  // Years beyond four digits do not sort as text.
  return Number.isNaN(date.getTime()) || !/^\d{4}-/.test(date.toISOString()) ? undefined : date.toISOString();
}
