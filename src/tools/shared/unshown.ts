import type * as z from 'zod';

/** Fields that a note names. */
const named = 5;

/** Most rounds of checking: removing a value may uncover another. */
const maxRounds = 5;

/** Zod would compile each schema on first use: 16 ms before a first answer, to save a few tenths of one on each later one. */
export const uncompiled = { jitless: true } as const;

/**
 * Fits an answer to its schema. Removes values that no sound row gives, and names them in a note: one bad row must not hide the others. A field that is
 * missing for that reason is not a fault.
 */
export function fitting(schema: z.ZodObject, answer: Record<string, unknown>): Record<string, unknown> {
  const { success, data, error } = schema.safeParse(answer, uncompiled);
  if (success) return data;
  const copy = structuredClone(answer);
  const unshown = new Set<string>();
  let issues: readonly z.core.$ZodIssue[] = error.issues;
  for (let round = 0; round < maxRounds && issues.length > 0; round += 1) {
    // From the end: removing an item of an array shifts the items behind it.
    for (const { path } of issues.toSorted(byLastFirst)) if (takeOut(copy, path)) unshown.add(path.join('.'));
    issues = schema.safeParse(copy, uncompiled).error?.issues ?? [];
  }
  const more = unshown.size > named ? ` and ${unshown.size - named} more` : '';
  const note = `The store holds values that cannot be shown: ${[...unshown].slice(0, named).join(', ')}${more}. "swf-mcp check --deep" looks for their cause.`;
  return { ...copy, note: typeof copy['note'] === 'string' ? `${copy['note']} ${note}` : note };
}

function byLastFirst({ path: a }: z.core.$ZodIssue, { path: b }: z.core.$ZodIssue): number {
  const at = a.findIndex((step, index) => step !== b[index]);
  return at < 0 ? 0 : Number(b[at] ?? 0) - Number(a[at] ?? 0) || 0;
}

/** Deletes the value at a path. Returns false if the path leads nowhere. */
function takeOut(root: Record<string, unknown>, path: readonly PropertyKey[]): boolean {
  const key = path.at(-1);
  let place: unknown = root;
  for (const step of path.slice(0, -1)) place = (place as Record<PropertyKey, unknown> | undefined)?.[step];
  if (key === undefined || typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return false;
  if (Array.isArray(place)) place.splice(Number(key), 1);
  else delete (place as Record<PropertyKey, unknown>)[key];
  return true;
}
