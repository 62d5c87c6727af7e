/** Maps a range onto pixels. */
export interface Scale {
  (value: number): number;
  invert: (pixel: number) => number;
}

export function linear([from, to]: readonly [number, number], [left, right]: readonly [number, number]) {
  const span = to - from || 1;
  const scale = ((value) => left + ((value - from) / span) * (right - left)) as Scale;
  scale.invert = (pixel) => from + ((pixel - left) / (right - left || 1)) * span;
  return scale;
}

/** About four round values for the ticks of an axis that begins at 0. */
export function roundTicks(most: number, wanted = 4) {
  if (!(most > 0)) return [0, 1];
  const raw = most / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((one) => one >= raw - 1e-12) ?? 10 * power;
  const ticks: number[] = [];
  for (let value = 0; value < most + step * 0.999; value += step) ticks.push(Number(value.toPrecision(12)));
  return ticks;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const countedIn = (unit: number, counts: readonly number[]) => counts.map((n) => n * unit);
const steps = [
  ...[1, 10, 100].flatMap((unit) => countedIn(unit, [1, 2, 5])),
  ...[second, minute].flatMap((unit) => countedIn(unit, [1, 2, 5, 10, 15, 30])),
  ...countedIn(hour, [1, 2, 6, 12, 24]),
];

/** The times of an axis's ticks, in milliseconds since 1970: round times, at least `least` pixels apart. */
export function timeTicks(from: number, until: number, width: number, least = 90) {
  const most = Math.max(1, Math.floor(width / least));
  const step =
    steps.find((one) => (until - from) / one <= most) ?? Math.ceil((until - from) / most / (24 * hour)) * 24 * hour;
  const at: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= until; tick += step) at.push(tick);
  return { at, step };
}

/** A step line through values that each apply to a whole bin, as an SVG path. */
export const stepPath = (values: readonly number[], { x, y }: { x: (bin: number) => number; y: Scale }) =>
  values
    .map((value, bin) => `${bin === 0 ? 'M' : 'L'}${fixed(x(bin))} ${fixed(y(value))}H${fixed(x(bin + 1))}`)
    .join('');

/** The area between two step lines, as an SVG path. */
export function stepArea(
  values: readonly number[],
  base: readonly number[] | undefined,
  scales: { x: (bin: number) => number; y: Scale },
) {
  const { x, y } = scales;
  const back = values
    .map((_, bin) => `L${fixed(x(bin + 1))} ${fixed(y(base?.[bin] ?? 0))}H${fixed(x(bin))}`)
    .toReversed()
    .join('');
  return `${stepPath(values, scales)}${back}Z`;
}

const fixed = (value: number) => value.toFixed(1);
