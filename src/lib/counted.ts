/** The singular or plural of a noun, as the number requires. */
export const nounFor = (n: number, one: string, many = `${one}s`) => (n === 1 ? one : many);

/** A number with its noun: `1 slice`, `2 slices`. */
export const counted = (n: number, one: string, many?: string) => `${n} ${nounFor(n, one, many)}`;

/** A count and its noun with `was` or `were`: `1 slice was`, `2 slices were`. */
export const were = (n: number, one: string) => `${counted(n, one)} ${n === 1 ? 'was' : 'were'}`;

/** A count and its noun with `is` or `are`: `1 slice is`, `2 slices are`. */
export const are = (n: number, one: string) => `${counted(n, one)} ${n === 1 ? 'is' : 'are'}`;

/** A count with its noun and verb: `1 slice waits`, `2 slices wait`. @param verb the plural form of the verb */
export const doing = (n: number, one: string, verb: string) => `${counted(n, one)} ${n === 1 ? `${verb}s` : verb}`;

/** How many names a sentence lists. */
const shown = 5;

/**
 * The first few names, and how many more there are.
 * @param count the total number of names, if there are more than these
 */
export function someOf(names: readonly string[], count = names.length, most = shown) {
  const first = names.slice(0, most);
  return `${first.join(', ')}${count > first.length ? ` and ${count - first.length} more` : ''}`;
}
