import * as z from 'zod';

import { clipCause, longestCause } from '../domain/causes.ts';
import { float, int, object, objects, oneOf, optionalInt, optionalString, string } from '../domain/fields.ts';
import { type Group, slicesOf, spreadOf } from '../domain/groups.ts';
import {
  countsAttempts,
  summarized,
  type SummaryKey,
  summaryKeys,
  type SummaryQuestion,
} from '../domain/summary-words.ts';
import { byName } from '../lib/by-name.ts';
import { present } from '../lib/present.ts';
import { printable } from '../lib/printable.ts';

const spread = () => object({ mean: float, p50: float, p95: float, max: float }).optional();

/** Sums as returned, without those that do not apply to the kind of row. */
const sums = () => ({
  count: int,
  slices: optionalInt.describe('For attempts: distinct slices'),
  stay_failed: optionalInt.describe('For attempts: slices that failed for good'),
  failed: optionalInt,
  retries: optionalInt,
  bytes: optionalInt,
  seconds: spread(),
  processing_seconds: spread(),
});

export type Sums = z.infer<z.ZodObject<ReturnType<typeof sums>>>;

/** All keys that a group can have, whatever is summarized. */
export const everyKey = [...new Set(Object.values(summaryKeys).flat())];

const keyFields = () => Object.fromEntries(everyKey.map((key) => [key, optionalString]));

/** The answer of `summarize`. Durations are seconds of wall time. A group has the requested keys. */
export const summaryAnswer = () =>
  object({
    what: oneOf(summarized),
    counts: string.describe('The rows counted'),
    groups: objects({ ...keyFields(), example: optionalString, ...sums() }),
    groups_omitted: int,
    total: object(sums()),
    execution_id: optionalString,
    start_time: optionalString,
    end_time: optionalString,
    data_as_of: optionalString,
    note: optionalString,
  });

type Told = z.infer<ReturnType<typeof summaryAnswer>>;

export type Summary = Omit<Told, 'groups'> & { groups: (Sums & Readonly<Record<string, unknown>>)[] };

/** Maximum characters for groups: an answer has at most 25,000, and everything else in it needs a few hundred. */
const groupCharacters = 24_000;

export const orders = ['count', 'failed', 'seconds', 'key'] as const;

type Order = (typeof orders)[number];

/** The first groups in the requested order: at most `limit`, and no more than fit into an answer. */
export function shownGroups(
  groups: readonly Group[],
  question: SummaryQuestion,
  { order, limit }: { order: Order; limit: number },
): { shown: Sums[]; omitted: number } {
  const shown: Sums[] = [];
  let room = groupCharacters;
  for (const group of inOrder(groups, order).slice(0, limit)) {
    const keys = question.keys.map((key, at) => [key, keyShown(key, group.keys[at])] as const);
    const item = {
      ...Object.fromEntries(keys.filter(([, value]) => value !== undefined)),
      ...present({ example: group.example === undefined ? null : clipCause(printable(group.example), longestCause) }),
      ...shownSums([group], question),
    };
    room -= JSON.stringify(item).length + 1;
    if (room < 0) break;
    shown.push(item);
  }
  return { shown, omitted: groups.length - shown.length };
}

/** The value of a key as shown. A cause is shortened as in other answers. */
const keyShown = (key: SummaryKey, value: string | undefined) =>
  key === 'cause' && value !== undefined ? clipCause(printable(value), longestCause) : value;

/** Natural sorting of more groups than this would take seconds, so they are sorted as plain text. */
const maxByName = 5000;
const plainly = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function inOrder(groups: readonly Group[], order: Order) {
  const compare = groups.length > maxByName ? plainly : byName;
  const byKey = (a: Group, b: Group) => compareKeys(a.keys, b.keys, compare);
  if (order === 'key') return groups.toSorted(byKey);
  const size = (group: Group) =>
    order === 'seconds'
      ? group.seconds.reduce((sum, value) => sum + value, 0) / (group.seconds.length || 1)
      : group[order];
  const sizes = new Map(groups.map((group) => [group, size(group)]));
  return groups.toSorted((a, b) => (sizes.get(b) as number) - (sizes.get(a) as number) || byKey(a, b));
}

function compareKeys(a: Group['keys'], b: Group['keys'], compare: (a: string, b: string) => number) {
  for (const [at, one] of a.entries()) {
    const [left = '', right = ''] = [one, b[at]];
    if (left !== right) return compare(left, right);
  }
  return 0;
}

/** The sums over several groups, without sums that do not apply to the kind of row. */
export function shownSums(groups: readonly Group[], { what, keys }: SummaryQuestion): Sums {
  const sum = (of: 'count' | 'failed' | 'retries' | 'bytes' | 'stayFailed' | 'ofSlices') =>
    groups.reduce((before, group) => before + group[of], 0);
  const known = (of: 'retries' | 'bytes') => {
    const unknown = groups.reduce((before, group) => before + group.unknown[of], 0);
    return unknown > 0 && unknown === sum('count') ? null : sum(of);
  };
  const isOfAttempts = what === 'slices' && countsAttempts(keys);
  return present({
    count: sum('count'),
    slices: isOfAttempts ? slicesOf(groups) : what === 'executions' ? sum('ofSlices') : null,
    stay_failed: isOfAttempts || what === 'executions' ? sum('stayFailed') : null,
    failed: what === 'messages' || what === 'logs' ? null : sum('failed'),
    retries: what === 'slices' || what === 'executions' ? known('retries') : null,
    bytes: what === 'stf_files' || what === 'executions' ? known('bytes') : null,
    seconds: spreadOf(groups.map((group) => group.seconds)),
    processing_seconds: spreadOf(groups.map((group) => group.processing)),
  });
}
