/** A name or a number as text. Some programs of the testbed say in a word that they know none. */
export function told(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  return ['', 'none', 'null', 'unknown'].includes(text.toLowerCase()) ? undefined : text;
}
