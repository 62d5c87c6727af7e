/** Drops fields without a value, so that they are absent rather than null. */
export function present<T extends Record<string, unknown>>(fields: T): { [K in keyof T]: Exclude<T[K], null> } {
  const known: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== null && value !== undefined) known[key] = value;
  }
  return known as never;
}
