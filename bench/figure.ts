import { cpus } from 'node:os';

/** A measured figure beside its floor, which was measured in the same run. */
export interface Figure {
  figure: string;
  unit: string;
  ours: number;
  /** Left out if there is nothing to compare with. */
  floor?: { what: string; value: number };
  /** The usual ratio to the floor: a ratio that is three times worse is a failure on any machine. */
  usual?: number;
  /** The aim, as a sentence and as a test. */
  aim?: { says: string; holds: (figure: Figure) => boolean };
}

const ratioOf = ({ ours, floor }: Figure): number | undefined => (floor === undefined ? undefined : ours / floor.value);

/** Whether the ratio is three times worse than usual. */
export function isFarOff(figure: Figure): boolean {
  const { usual, unit } = figure;
  const ratio = ratioOf(figure);
  if (usual === undefined || ratio === undefined) return false;
  return unit.endsWith('/s') ? ratio < usual / 3 : ratio > usual * 3;
}

export const atMost = (ratio: number): NonNullable<Figure['aim']> => ({
  says: `≤ ${ratio} × floor`,
  holds: (figure) => (ratioOf(figure) ?? Infinity) <= ratio,
});

/** An aim: at most this value. */
export const below = (most: number, unit = ''): NonNullable<Figure['aim']> => ({
  says: `≤ ${most} ${unit}`.trimEnd(),
  holds: ({ ours }) => ours <= most,
});

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN;
}

const shown = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 100 ? value.toFixed(0) : value.toFixed(2);

/** Prints the figures as one Markdown table, ready to be pasted into a page. */
export function printTable(figures: readonly Figure[]): void {
  const head = ['figure', 'swf-mcp', 'floor', 'ratio', 'aim', ''];
  const rows = figures.map((figure) => [
    figure.figure,
    `${shown(figure.ours)} ${figure.unit}`,
    figure.floor === undefined ? '' : `${shown(figure.floor.value)} ${figure.unit} (${figure.floor.what})`,
    ratioOf(figure)?.toFixed(2) ?? '',
    figure.aim?.says ?? '',
    figure.aim === undefined ? '' : figure.aim.holds(figure) ? 'met' : 'not met',
  ]);
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => (row[at] ?? '').length)));
  const line = (cells: string[]): string => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  console.log(
    `Node.js ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${new Date().toISOString().slice(0, 10)}\n`,
  );
  console.log(line(head));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) console.log(line(row));
}
