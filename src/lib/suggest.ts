import { distance } from 'fastest-levenshtein';

/** What was begun and not finished is nearer than what was misspelt. */
const farFrom = (name: string, candidate: string): number =>
  name.length > 2 && candidate.startsWith(name) ? 0.5 : distance(name, candidate);

/** The known names that come nearest to a mistaken one, nearest first. */
export function nearest(name: string, known: readonly string[], most = 3): string[] {
  return known
    .map((candidate) => ({ candidate, far: farFrom(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The known name that a mistaken one most likely stands for, or undefined where none comes near. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const [best] = nearest(name, known, 1);
  if (best === undefined) return undefined;
  return farFrom(name.toLowerCase(), best.toLowerCase()) <= Math.max(2, Math.ceil(name.length * 0.4))
    ? best
    : undefined;
}
