import { programTypeOf } from '../messages/foreign.ts';

/** The messages of one type from one program, with the fields by which two runs are compared. */
interface Said {
  message_type: string;
  destination: string;
  messages: number;
  keys: Readonly<Record<string, number>>;
}

/**
 * Differences in the bus contract between two runs, a sentence each. Programs have different names in each run, so they are compared by type and
 * destination. Message counts depend on the length of a run and are not compared.
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

/** The keys of each message type, by its name, program and destination. */
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
