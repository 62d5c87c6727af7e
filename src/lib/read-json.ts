/** The object in a text of JSON; an empty one where it holds none. Its fields are what the text says, whatever that is. */
export function objectIn(text: string | null | undefined): Record<string, unknown> {
  const value = readJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The objects of an array in a text of JSON; none where it holds no array. */
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
