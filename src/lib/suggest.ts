import { distance } from 'fastest-levenshtein';

/** An unfinished name counts as nearer than a misspelt one. */
function distanceBetween(name: string, candidate: string) {
  if (name.length > 2 && candidate.startsWith(name)) return 0.5;
  // A part of a name, such as `worker` in `assigned_worker`.
  return name.length > 3 && candidate.includes(name) ? 0.8 : distance(name, candidate);
}

/** The known names nearest to a mistaken name, nearest first. */
export const nearest = (name: string, known: readonly string[], most = 3) =>
  known
    .map((candidate) => ({ candidate, distance: distanceBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);

/** The known name that a mistaken name most likely means, or undefined if none is near. */
export function closest(name: string, known: readonly string[]) {
  const [best] = nearest(name, known, 1);
  if (best === undefined) return undefined;
  const length = Math.min(name.length, best.length);
  // In a name of two letters, at least one must be right.
  const limit = Math.min(Math.max(2, Math.ceil(length * 0.4)), Math.max(1, best.length - 1));
  return distanceBetween(name.toLowerCase(), best.toLowerCase()) <= limit ? best : undefined;
}
