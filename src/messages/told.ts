/** A name or a number as text. Some testbed programs use a word for a missing value. */
export function told(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  return ['', 'none', 'null', 'unknown'].includes(text.toLowerCase()) ? undefined : text;
}
