import { useState } from 'preact/hooks';

import { spanOf } from '../draw/span.ts';
import { clock } from '../shared/format.ts';
import { useWidth } from '../state/hooks.ts';
import { useSteering } from '../state/zoom.ts';
import {
  Axes,
  Bands,
  besideCursor,
  bottom,
  type Drain,
  Expected,
  geometryOf,
  left,
  Legend,
  Lines,
  type Plot,
  right,
  shown,
  type Steered,
} from './chart-parts.tsx';

interface Props extends Plot, Steered {
  title: string;
  unit: string;
  drain?: Drain | undefined;
  asOf?: number | undefined;
  height?: number;
}

/**
 * Step lines over time with the phases behind them. Dragging, the wheel and keys choose a part; arrow keys move
 * the cursor that shows values; the legend hides lines.
 */
export function TimeChart({ lines: all, ...rest }: Props) {
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const lines = all.filter(({ name }) => !hidden.includes(name));
  const props = { ...rest, lines };
  const { grid, unit } = props;
  const [box, width] = useWidth();
  const toggle = (name: string) =>
    setHidden(hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name]);
  const pointed = props.cursor === undefined ? -1 : Math.floor((props.cursor - grid.from) / grid.step);
  const bin = pointed >= 0 && pointed < grid.count ? pointed : undefined;
  const at = grid.from + (bin ?? 0) * grid.step;
  return (
    <div ref={box} class="chart">
      <Drawing {...props} width={width} bin={bin} />
      <Legend lines={all} unit={unit} guides={props.guides ?? []} hidden={hidden} onToggle={toggle} />
      <p class="reading" aria-live="polite" style={placeOf(props, width, bin)}>
        {bin !== undefined &&
          `${clock(at, grid.step < 1000)} ${lines.map(({ name, values }) => `${name} ${shown(values[bin] ?? 0)}`).join(', ')} ${unit}`}
      </p>
    </div>
  );
}

function placeOf(props: Props, width: number, bin: number | undefined): Record<string, string> {
  if (bin === undefined) return { display: 'none' };
  const { from, step } = props.grid;
  return besideCursor(geometryOf(props, width, 0).x(from + (bin + 0.5) * step), width);
}

function Drawing(props: Props & { width: number; bin: number | undefined }) {
  const { timeline, grid, until, lines, unit, title, width, bin, asOf, cursor, onCursor, onZoom, height = 150 } = props;
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>(undefined);
  const geometry = geometryOf(props, width, height);
  const { x, y, from } = geometry;
  const timeAt = ({ clientX, currentTarget }: MouseEvent) => {
    const edge = (currentTarget as SVGElement).getBoundingClientRect();
    return Math.min(until, Math.max(from, x.invert(((clientX - edge.left) / edge.width) * width)));
  };
  const steering = useSteering(spanOf(timeline), onZoom);
  const onKey = (event: KeyboardEvent) => {
    if (steering.onKey(event, cursor)) return;
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = Math.min(grid.count - 1, Math.max(0, (bin ?? 0) + step));
    onCursor(grid.from + (next + 0.5) * grid.step);
  };
  const over = (at: number, end: number) => ({ x: at, y: 0, width: Math.max(0, end - at), height: height - bottom });
  const chosen = drag ?? (steering.pending && { from: steering.pending.from, to: steering.pending.until });
  const [left1 = 0, right1 = 0] = chosen === undefined ? [] : [x(chosen.from), x(chosen.to)].toSorted((a, b) => a - b);
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      tabindex={0}
      role="img"
      aria-label={`${title}: ${lines.map(({ name, values }) => `${name} up to ${shown(Math.max(0, ...values))}`).join(', ')} ${unit}. Arrow keys: read values${onZoom === undefined ? '' : '; + and -: zoom; Shift+arrow: move'}.`}
      onKeyDown={onKey}
      onWheel={(event) => steering.onWheel(event, timeAt(event))}
      onPointerDown={(event) => onZoom !== undefined && setDrag({ from: timeAt(event), to: timeAt(event) })}
      onPointerMove={(event) => {
        onCursor(timeAt(event));
        if (drag !== undefined) setDrag({ ...drag, to: timeAt(event) });
      }}
      onPointerUp={() => {
        setDrag(undefined);
        if (right1 - left1 > 8) onZoom?.(x.invert(left1), x.invert(right1));
      }}
      onPointerLeave={() => {
        setDrag(undefined);
        onCursor(undefined);
      }}
    >
      <Bands timeline={timeline} x={x} height={height} />
      <Axes {...geometry} width={width} height={height} />
      <Lines {...props} x={x} y={y} />
      <Expected guides={props.guides ?? []} drain={props.drain} x={x} y={y} />
      {asOf !== undefined && <rect class="later" {...over(x(asOf), width - right)} />}
      {cursor !== undefined && cursor >= from && cursor <= until && (
        <line class="cursor" x1={x(cursor)} x2={x(cursor)} y1={0} y2={height - bottom} />
      )}
      {chosen && <rect class="chosen" {...over(Math.max(left, left1), Math.min(width - right, right1))} />}
    </svg>
  );
}
