/** A noun for a number of things. */
export const nounFor = (n: number, one: string, many = `${one}s`) => (n === 1 ? one : many);

/** A number with its noun: `1 slice`, `2 slices`. */
export const counted = (n: number, one: string, many?: string) => `${n} ${nounFor(n, one, many)}`;

/** A number of things with `was` or `were`: `1 slice was`, `2 slices were`. */
export const were = (n: number, one: string) => `${counted(n, one)} ${n === 1 ? 'was' : 'were'}`;

/** A number of things and what they do: `1 slice waits`, `2 slices wait`. @param verb for many */
export const doing = (n: number, one: string, verb: string) => `${counted(n, one)} ${n === 1 ? `${verb}s` : verb}`;

/** How many names a sentence has room for. */
const shown = 5;

/** Names, or some of them. @param count of all, if more than these */
export function someOf(names: readonly string[], count = names.length, most = shown) {
  const first = names.slice(0, most);
  return `${first.join(', ')}${count > first.length ? ` and ${count - first.length} more` : ''}`;
}
