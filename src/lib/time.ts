/** A time with a zone: `Z` or an offset. Everything else is naive. */
const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$/i;

/** Now, as UTC in ISO 8601 with milliseconds: the one form in which times are stored and compared. */
export function utcNow(): string {
  return new Date().toISOString();
}

/** A time with a zone in the stored form, or undefined for anything else. A naive time does not say which moment it means. */
export function toUtc(text: string | undefined): string | undefined {
  if (text === undefined || !zoned.test(text)) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return undefined;
  const utc = date.toISOString();
  // Years beyond four digits do not sort as text.
  return /^\d{4}-/.test(utc) ? utc : undefined;
}
