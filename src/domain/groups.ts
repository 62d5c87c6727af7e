import { rounded } from '../lib/rounded.ts';
import { createCauses } from './causes.ts';

/** Totals of some rows. Fields that do not apply to a kind of row stay 0, and `seconds` empty. */
type Sums = ReturnType<typeof noSums>;

const noSums = () => ({
  count: 0,
  failed: 0,
  retries: 0,
  bytes: 0,
  /** Rows of other programs for which the number of attempts, or the size, is unknown. */
  unknown: { retries: 0, bytes: 0 },
  /** One value per row with a duration. */
  seconds: [] as number[],
  /** One value per attempt whose worker measured the payload, of the same unit. */
  processing: [] as number[],
  /**
   * For attempts: the numbers of their slices by execution, and how many attempts are failures that their
   * slices are still in.
   */
  slices: new Map<string, Set<number>>(),
  stayFailed: 0,
  /** For executions: their number of slices. */
  ofSlices: 0,
});

export interface Group extends Sums {
  /** The values of the grouping keys; undefined for rows without a value. */
  keys: readonly (string | undefined)[];
  /** One of the errors of its cause, if they differ. */
  example?: string | undefined;
}

export type Groups = ReturnType<typeof createGroups>;

/** Collects rows in groups of equal keys; a cause is a key as `causeOf` gives it. */
export function createGroups() {
  const causes = createCauses();
  const groups = new Map<string, Group>();
  return {
    causes,
    of(keys: readonly (string | undefined)[]): Group {
      const key = JSON.stringify(keys);
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { keys, ...noSums() }));
      return group;
    },
    /**
     * The groups, with the text of their causes.
     * @param keys names of the keys
     * @param isOfAll whether each cause's errors are those of its group alone, so that one of them is an example of it
     */
    all(keys: readonly string[], isOfAll: boolean): Group[] {
      const place = keys.indexOf('cause');
      return [...groups.values()].map((group) => {
        const cause = group.keys[place];
        if (cause === undefined) return group;
        const { words, example } = causes.shown(cause);
        return { ...group, keys: group.keys.with(place, words), example: isOfAll ? example : undefined };
      });
    },
  };
}

/** How many different slices the attempts of several groups concern. */
export function slicesOf(groups: readonly Sums[]): number {
  const all = new Map<string, Set<number>>();
  for (const { slices } of groups)
    for (const [execution, numbers] of slices) {
      const known = all.get(execution);
      if (known === undefined) all.set(execution, groups.length === 1 ? numbers : new Set(numbers));
      else for (const number of numbers) known.add(number);
    }
  return [...all.values()].reduce((sum, numbers) => sum + numbers.size, 0);
}

/** The spread of several groups' durations, in seconds to the millisecond; undefined if there are none. */
export function spreadOf(groups: readonly (readonly number[])[]) {
  const length = groups.reduce((sum, seconds) => sum + seconds.length, 0);
  if (length === 0) return undefined;
  const sorted = new Float64Array(length);
  let at = 0;
  for (const seconds of groups) {
    sorted.set(seconds, at);
    at += seconds.length;
  }
  sorted.sort();
  const quantile = (part: number) => rounded(sorted[Math.max(0, Math.ceil(length * part) - 1)] as number);
  const sum = sorted.reduce((before, value) => before + value, 0);
  return { mean: rounded(sum / length), p50: quantile(0.5), p95: quantile(0.95), max: quantile(1) };
}
