import { linear, roundTicks, type Scale, stepArea, stepPath, timeTicks } from '../draw/scale.ts';
import { phasesIn, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { count, tickLabel } from '../shared/format.ts';
import { Dash, Key } from './pill.tsx';

export const left = 52;
export const right = 8;
export const bottom = 22;

interface Line {
  name: string;
  /** The CSS class of the line's colour. */
  shade: string;
  values: readonly number[];
  kind: 'line' | 'area' | 'stacked';
}

export interface Guide {
  label: string;
  shade: string;
  /** Times in milliseconds since 1970, values in the units of the axis. */
  points: readonly [at: number, value: number][];
}

/**
 * The expected drain: an area from a level at one time down to zero, which is reached `least` to `most`
 * milliseconds later.
 */
export interface Drain {
  at: number;
  level: number;
  least: number;
  most: number;
}

/** How the reader points at a time in a picture, or zooms in on part of the picture. */
export interface Steered {
  /** The time at the pointer in one of the charts, in milliseconds since 1970. */
  cursor: number | undefined;
  onCursor: (at: number | undefined) => void;
  /** Shows another part of the run; undefined if there is none. */
  onZoom?: ((from: number, until: number) => void) | undefined;
}

/** Where a reading is shown: beside the cursor, on the side with more room. @param at in pixels */
export const besideCursor = (at: number, width: number): Record<string, string> =>
  at < width / 2 ? { left: `${at + 12}px` } : { right: `${width - at + 12}px` };

export const shown = (value: number) => (Number.isInteger(value) ? count(value) : value.toFixed(2));

/**
 * Consecutive intervals with one value each: where the first begins, in milliseconds since 1970, how long each
 * is, and how many there are.
 */
interface Grid {
  from: number;
  step: number;
  count: number;
}

export interface Plot {
  timeline: Timeline;
  /** The intervals that the values belong to. */
  grid: Grid;
  /**
   * The end of the axis, in milliseconds since 1970: the end of the timeline, or later if something is
   * expected after it.
   */
  until: number;
  lines: readonly Line[];
  guides?: readonly Guide[];
}

export function geometryOf({ timeline, grid, until, lines, guides = [] }: Plot, width: number, height: number) {
  const { from } = spanOf(timeline);
  const stacked = lines.filter(({ kind }) => kind === 'stacked');
  const sums = Array.from({ length: grid.count }, (_, bin) =>
    stacked.reduce((sum, { values }) => sum + (values[bin] ?? 0), 0),
  );
  const most = Math.max(
    0,
    ...sums,
    ...lines.flatMap(({ values }) => values),
    ...guides.flatMap(({ points }) => points.map(([, value]) => value)),
  );
  const ticks = roundTicks(most);
  const x = linear([from, until], [left, width - right]);
  const y = linear([0, ticks.at(-1) ?? 1], [height - bottom, 8]);
  return { from, until, x, y, ticks };
}

type Geometry = ReturnType<typeof geometryOf>;

export const Bands = ({ timeline, x, height }: { timeline: Timeline; x: Geometry['x']; height: number }) => (
  <g>
    <defs>
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line class="hatch" x1="0" y1="0" x2="0" y2="6" />
      </pattern>
    </defs>
    {phasesIn(timeline).map(({ phase, from, to }) => (
      <rect
        key={`${phase} ${from}`}
        class={`band ${phase}`}
        x={x(from)}
        y={0}
        width={x(to) - x(from)}
        height={height - bottom}
      />
    ))}
  </g>
);

export const Axes = ({ x, y, from, until, ticks, width, height }: Geometry & { width: number; height: number }) => (
  <g class="axis">
    <Levels ticks={ticks} y={y} width={width} />
    <Times {...{ x, from, until, width }} y={height - 6} />
  </g>
);

/** Horizontal lines, each with its value. */
export const Levels = ({ ticks, y, width }: { ticks: readonly number[]; y: Scale; width: number }) =>
  ticks.map((tick) => (
    <g key={tick}>
      <line x1={left} x2={width - right} y1={y(tick)} y2={y(tick)} />
      <text x={left - 6} y={y(tick) + 4} class="level">
        {tick >= 10_000 ? `${tick / 1000}k` : shown(tick)}
      </text>
    </g>
  ));

/** Labels at round times below a picture, except those that the right edge would cut off. */
export function Times({ x, from, until, width, y }: Omit<Geometry, 'y' | 'ticks'> & { width: number; y: number }) {
  const { at, step } = timeTicks(from, until, width - left - right);
  const half = step < 1000 ? 40 : 28;
  return at
    .filter((tick) => x(tick) + half < width)
    .map((tick) => (
      <text key={tick} x={x(tick)} y={y}>
        {tickLabel(tick, step < 1000)}
      </text>
    ));
}

export function Lines({ lines, grid, timeline, until, x, y }: Plot & Pick<Geometry, 'x' | 'y'>) {
  const xOf = (at: number) => x(Math.min(until, grid.from + at * grid.step));
  let base: number[] | undefined;
  const isOpen = !timeline.last_bin_complete && grid.count === timeline.bins;
  return (
    <g>
      {lines.map(({ name, shade, values, kind }) => {
        // A line along zero would look like a measurement.
        if (values.every((value) => value === 0)) return null;
        if (kind !== 'stacked')
          return (
            <g key={name}>
              {kind === 'area' && <path class={`area ${shade}`} d={stepArea(values, undefined, { x: xOf, y })} />}
              <path class={`line ${shade}`} d={stepPath(values, { x: xOf, y })} />
            </g>
          );
        const below = base;
        const top = values.map((value, bin) => value + (below?.[bin] ?? 0));
        base = top;
        return <path key={name} class={`area ${shade}`} d={stepArea(top, below, { x: xOf, y })} />;
      })}
      {isOpen && (
        <rect
          class="unfinished"
          x={xOf(timeline.bins - 1)}
          y={8}
          width={Math.max(1, xOf(timeline.bins) - xOf(timeline.bins - 1))}
          height={Math.max(0, y(0) - 8)}
        />
      )}
    </g>
  );
}

interface ExpectedProps extends Pick<Geometry, 'x' | 'y'> {
  guides: readonly Guide[];
  drain: Drain | undefined;
}

export const Expected = ({ guides, drain, x, y }: ExpectedProps) => (
  <g>
    {guides.map(({ label, shade, points }) => (
      <polyline
        key={label}
        class={`guide ${shade}`}
        points={points.map(([at, value]) => `${x(at)},${y(value)}`).join(' ')}
      />
    ))}
    {drain && (
      <g>
        <polygon
          class="drain-range"
          points={`${x(drain.at)},${y(drain.level)} ${x(drain.at + drain.least)},${y(0)} ${x(drain.at + drain.most)},${y(0)}`}
        />
        <line
          class="guide"
          x1={x(drain.at)}
          y1={y(drain.level)}
          x2={x(drain.at + (drain.least + drain.most) / 2)}
          y2={y(0)}
        />
      </g>
    )}
  </g>
);

interface LegendProps {
  lines: readonly Line[];
  unit: string;
  guides: readonly Guide[];
  /** The names of the lines that the reader has hidden. */
  hidden: readonly string[];
  onToggle: (name: string) => void;
}

export const Legend = ({ lines, unit, guides, hidden, onToggle }: LegendProps) => (
  <p class="legend">
    {lines.map(({ name, shade }) => (
      <button key={name} type="button" aria-pressed={!hidden.includes(name)} onClick={() => onToggle(name)}>
        <Key state={shade}>{name}</Key>
      </button>
    ))}
    {guides.map(({ label, shade }) => (
      <Dash key={label} shade={shade}>
        {label}
      </Dash>
    ))}
    <small>{unit}</small>
  </p>
);
