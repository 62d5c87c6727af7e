import { rounded } from '../lib/rounded.ts';
import { createCauses } from './causes.ts';

/** Totals for some rows. Fields that do not apply to a kind of row stay 0, and `seconds` stays empty. */
type Sums = ReturnType<typeof noSums>;

const noSums = () => ({
  count: 0,
  failed: 0,
  retries: 0,
  bytes: 0,
  /** How many rows from other programs have an unknown number of attempts, or an unknown size. */
  unknown: { retries: 0, bytes: 0 },
  /** The duration of each row that has one. */
  seconds: [] as number[],
  /** The payload time of each attempt whose worker measured it, in the same unit as `seconds`. */
  processing: [] as number[],
  /**
   * In a group of attempts: their slices (as numbers, by execution), and how many failed attempts are still the
   * current result of their slices.
   */
  slices: new Map<string, Set<number>>(),
  stayFailed: 0,
  /** In a group of executions: the number of their slices. */
  ofSlices: 0,
});

export interface Group extends Sums {
  /** The values of the grouping keys; undefined for rows without a value. */
  keys: readonly (string | undefined)[];
  /** One of the original errors with the group's cause, if these errors differ. */
  example?: string | undefined;
}

export type Groups = ReturnType<typeof createGroups>;

/** Groups rows by equal keys. A cause used as a key has the form that `causeOf` gives it. */
export function createGroups() {
  const causes = createCauses();
  const groups = new Map<string, Group>();
  return {
    causes,
    of(keys: readonly (string | undefined)[]) {
      const key = JSON.stringify(keys);
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { keys, ...noSums() }));
      return group;
    },
    /**
     * The groups, with the text of their causes.
     * @param keys names of the keys
     * @param isOfAll whether each cause occurs in one group only, so that one of its errors can be the group's
     * example
     */
    all(keys: readonly string[], isOfAll: boolean) {
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

/** Number of distinct slices in the attempts of several groups. */
export function slicesOf(groups: readonly Sums[]) {
  const all = new Map<string, Set<number>>();
  for (const { slices } of groups)
    for (const [execution, numbers] of slices) {
      const known = all.get(execution);
      if (known === undefined) all.set(execution, groups.length === 1 ? numbers : new Set(numbers));
      else for (const number of numbers) known.add(number);
    }
  return [...all.values()].reduce((sum, numbers) => sum + numbers.size, 0);
}

/**
 * The spread of several groups' durations, in seconds rounded to milliseconds; undefined without durations.
 */
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
