import { isNoticeable } from '../domain/shown.ts';
import { counted } from '../lib/counted.ts';

interface Pair {
  a: number;
  b: number;
}

const seconds = (value: number): string => `${value < 10 ? value.toFixed(3) : value.toFixed(1)} s`;

/** How many times the larger is the smaller: `1.5 times`, `12 times`. */
function times({ a, b }: Pair): string {
  const ratio = Math.max(a, b) / Math.min(a, b);
  return `${ratio < 9.95 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

/** Both with their names, for a sentence that begins with the larger one. */
const largerFirst = ({ a, b }: Pair) => (a > b ? (['a', a, 'b', b] as const) : (['b', b, 'a', a] as const));

/** How each figure is said, where both differ noticeably. Seconds are wall time. */
const words = {
  duration_seconds: (both) => {
    const [name, took, other, rest] = largerFirst(both);
    return `${name} took ${seconds(took)}, ${times(both)} as long as ${other} (${seconds(rest)})`;
  },
  stf_count: ({ a, b }) => `a has ${counted(a, 'STF file')}, b ${b}`,
  slices_completed: ({ a, b }) => `${counted(a, 'slice')} completed in a, ${b} in b`,
  slices_failed: ({ a, b }) => `${counted(a, 'slice')} failed for good in a, ${b} in b`,
  slice_retries: ({ a, b }) => `${counted(a, 'retry', 'retries')} in a, ${b} in b`,
  slices_per_second: (both) => {
    const [name, rate, other, rest] = largerFirst(both);
    if (rest === 0) return `${both.a} slices a second were completed in a, ${both.b} in b`;
    return `${name} completed ${rate} slices a second, ${times(both)} as many as ${other} (${rest})`;
  },
} satisfies Record<string, (both: Pair) => string>;

export type Figures = Record<keyof typeof words, number>;

/** Figures that depend on the speed of a run. */
const ofWallTime: ReadonlySet<keyof Figures> = new Set(['duration_seconds', 'slices_per_second'] as const);

/** Sentences about the figures that differ noticeably. @param isSameSpeed else durations and rates are not compared */
export const figureWords = (a: Figures, b: Figures, isSameSpeed: boolean): string[] =>
  (Object.keys(words) as (keyof Figures)[]).flatMap((name) => {
    if (!isSameSpeed && ofWallTime.has(name)) return [];
    const both = { a: a[name], b: b[name] };
    return isNoticeable(both.a, both.b, name === 'duration_seconds' ? 'seconds' : 'other') ? [words[name](both)] : [];
  });

/** A sentence about the delays of a stage, where they differ noticeably. @param p95 95 of 100 are below, in seconds of wall time */
export function stageWords(stage: string, p95: Pair): string[] {
  if (!isNoticeable(p95.a, p95.b, 'seconds')) return [];
  const [name, took, other, rest] = largerFirst(p95);
  const ratio = rest === 0 ? 'against' : `${times(p95)} the`;
  return [`${stage}: 95 % took at most ${seconds(took)} in ${name}, ${ratio} ${seconds(rest)} of ${other}`];
}

export const settingWords = ({ key, a, b }: { key: string; a?: string; b?: string }): string =>
  `${key} is ${a ?? 'not set'} in a, ${b ?? 'not set'} in b`;
