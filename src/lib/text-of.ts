/** A value of a message, an answer or a row as text: strings unchanged, other values as JSON, null and undefined as an empty string. */
export const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
