import { printable } from '../lib/printable.ts';

export type Sample = [labels: Readonly<Record<string, string>>, value: number];

/** A sample for each value, with the value's key as a label. */
export const by = (label: string, values: Iterable<readonly [key: string, value: number]>): Sample[] =>
  [...values].map(([key, value]) => [{ [label]: key }, value]);

/**
 * A metric in Prometheus text format 0.0.4, line by line. A single value has no labels; without a value, only
 * the HELP and TYPE lines are written.
 */
const metric =
  (type: 'gauge' | 'counter') =>
  (name: string, help: string, values: readonly Sample[] | number = []) => {
    const samples: readonly Sample[] = typeof values === 'number' ? [[{}, values]] : values;
    return [...head(name, type, help), ...samples.map(([labels, value]) => `${name}${labelled(labels)} ${value}`)];
  };

export const gauge = metric('gauge');

export const counter = metric('counter');

/** A histogram of durations: how many were within each bound. */
export const histogram = (
  name: string,
  help: string,
  { bounds, within, count, sum }: { bounds: readonly number[]; within: readonly number[]; count: number; sum: number },
) => [
  ...head(name, 'histogram', help),
  ...bounds.map((bound, at) => `${name}_bucket{le="${bound}"} ${within[at] ?? 0}`),
  `${name}_bucket{le="+Inf"} ${count}`,
  `${name}_sum ${sum}`,
  `${name}_count ${count}`,
];

const head = (name: string, type: string, help: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];

function labelled(labels: Readonly<Record<string, string>>) {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${printable(value).replaceAll(/[\\"]/g, String.raw`\$&`)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
