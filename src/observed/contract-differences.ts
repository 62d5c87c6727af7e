import { programTypeOf } from './message-types.ts';

/** The messages of one type from one program, as far as two runs are compared. */
interface Said {
  message_type: string;
  destination: string;
  messages: number;
  keys: Readonly<Record<string, number>>;
}

/**
 * Differences of the contract of the bus between two runs, a sentence each. Programs have other names in each run, so they are compared by type and
 * destination. How often something was said differs with the length of a run, and is none.
 */
export function contractDifferences(a: readonly Said[], b: readonly Said[]): string[] {
  const [mine, theirs] = [byName(a), byName(b)];
  return [...new Set([...mine.keys(), ...theirs.keys()])].toSorted().flatMap((name) => {
    const [left, right] = [mine.get(name), theirs.get(name)];
    if (left === undefined) return [`${name} is new`];
    if (right === undefined) return [`${name} is gone`];
    return [
      ...missingFrom(left, right).map((key) => `${name} no longer has ${key}`),
      ...missingFrom(right, left).map((key) => `${name} has ${key} now`),
    ];
  });
}

/** The keys of each type, by its name, its program and its destination. */
function byName(said: readonly Said[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { message_type, destination, keys } of said) {
    const name = `${message_type} of a ${programTypeOf(message_type, destination) ?? 'program'} on ${destination}`;
    found.set(name, new Set([...(found.get(name) ?? []), ...Object.keys(keys)]));
  }
  return found;
}

const missingFrom = (keys: ReadonlySet<string>, other: ReadonlySet<string>): string[] =>
  [...keys].filter((key) => !other.has(key));
