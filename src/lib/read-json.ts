/** The object in a JSON text, or an empty object. Its fields are whatever the text says. */
export function objectIn(text: string | null | undefined): Record<string, unknown> {
  const value = readJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The objects of the array in a JSON text; empty if it holds no array. */
export function objectsIn(text: string | null | undefined): Record<string, unknown>[] {
  const value = readJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

function readJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
