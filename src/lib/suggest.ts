import { distance } from 'fastest-levenshtein';

/** A name that was begun and not finished is nearer than one that was misspelt. */
const distanceBetween = (name: string, candidate: string): number =>
  name.length > 2 && candidate.startsWith(name) ? 0.5 : distance(name, candidate);

/** The known names that come nearest to a mistaken one, nearest first. */
export function nearest(name: string, known: readonly string[], most = 3): string[] {
  return known
    .map((candidate) => ({ candidate, distance: distanceBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The known name that a mistaken one most likely stands for, or undefined where none comes near. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const [best] = nearest(name, known, 1);
  if (best === undefined) return undefined;
  const limit = Math.max(2, Math.ceil(name.length * 0.4));
  return distanceBetween(name.toLowerCase(), best.toLowerCase()) <= limit ? best : undefined;
}
