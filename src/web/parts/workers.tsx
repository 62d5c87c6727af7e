import { useMemo, useState } from 'preact/hooks';

import { sliceFilename } from '../../domain/file-names.ts';
import { duration } from '../../lib/duration.ts';
import { type Bar, barAt, barBeside, barsOf, firstBar, isLost } from '../draw/paint.ts';
import { linear } from '../draw/scale.ts';
import { holesIn, type Range, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { amount, clock } from '../shared/format.ts';
import { maxSlots } from '../state/asking.ts';
import { useWidth } from '../state/hooks.ts';
import { usePainting } from '../state/painting.ts';
import { useSteering } from '../state/zoom.ts';
import { besideCursor, left, right, type Steered, Times } from './chart-parts.tsx';
import { Key } from './pill.tsx';

const maxHeight = 520;

/** The number of rows shown; before the attempts arrive, the number of rows to reserve for them. */
const rowsOf = ({ slots, slot_count }: Timeline) => Math.max(1, slots?.length ?? Math.min(maxSlots, slot_count));

interface Props extends Steered {
  onZoom: NonNullable<Steered['onZoom']>;
  timeline: Timeline;
  /** Whether the execution has ended, so that nothing is in progress. */
  hasEnded: boolean;
  asOf: number | undefined;
  theme: string;
  onOpen: (slice: string) => void;
}

/** Every attempt of every worker slot, painted as pixels. Hovering, clicking and arrow keys identify an attempt. */
export function Workers(props: Props) {
  const { timeline, hasEnded } = props;
  const [box, width] = useWidth();
  const [bar, setBar] = useState<Bar | undefined>(undefined);
  const rowHeight = Math.max(2, Math.min(13, Math.floor(maxHeight / rowsOf(timeline))));
  const bars = useMemo(() => barsOf(timeline, hasEnded), [timeline, hasEnded]);
  return (
    <>
      <h2>
        Workers over time <small>{wordsOf(timeline, bars.length)}</small>
      </h2>
      <p class="legend">
        <Key state="completed">completed</Key>
        <Key state="processing">processing</Key>
        <Key state="failed">failed attempt</Key>
        {bars.some(isLost) && <Key state="lost">no result</Key>}
      </p>
      <div ref={box} class="workers">
        <RowLabels slots={timeline.slots ?? []} rowHeight={rowHeight} />
        <Work {...props} {...{ bars, bar, setBar, rowHeight }} width={Math.max(50, width - left - right)} />
        <TimeAxis {...spanOf(timeline)} width={width} />
        <p class="small">{hintOf(timeline)}</p>
        <p class="reading" aria-live="polite" style={placeOf(bar, { timeline, width, rowHeight })}>
          {bar && readingOf(bar, timeline)}
        </p>
      </div>
    </>
  );
}

interface Place {
  timeline: Timeline;
  width: number;
  rowHeight: number;
}

/** The place of a readout: beside its attempt, below the attempt's row. */
function placeOf(bar: Bar | undefined, { timeline, width, rowHeight }: Place): Record<string, string> {
  if (bar === undefined) return { display: 'none' };
  const { from, until } = spanOf(timeline);
  const at = linear([0, until - from], [left, width - right])((bar.start + bar.end) / 2);
  return { ...besideCursor(at, width), top: `${(bar.row + 1) * rowHeight + 4}px` };
}

interface WorkProps extends Props {
  bars: readonly Bar[];
  bar: Bar | undefined;
  setBar: (bar: Bar | undefined) => void;
  rowHeight: number;
  width: number;
}

function Work(props: WorkProps) {
  const { timeline, asOf, cursor, onCursor, onOpen, onZoom, bars, bar, setBar, rowHeight, width } = props;
  const rows = rowsOf(timeline);
  const height = rows * rowHeight;
  const range = spanOf(timeline);
  const span = Math.max(1, range.until - range.from);
  const canvas = usePainting({ timeline, bars, width, height, rowHeight, span, theme: props.theme });
  const timeAt = ({ clientX, currentTarget }: MouseEvent) => {
    const edge = (currentTarget as HTMLElement).getBoundingClientRect();
    return ((clientX - edge.left) / edge.width) * span;
  };
  const found = (event: MouseEvent) => {
    const { top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return barAt(bars, Math.floor((event.clientY - top) / rowHeight), timeAt(event), (span / width) * 3);
  };
  const open = ({ stf, sliceId }: Bar) => onOpen(sliceFilename(stf, sliceId));
  const steering = useSteering(range, onZoom);
  const onKey = (event: KeyboardEvent) => {
    if (steering.onKey(event)) return;
    const step = stepOf[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = bar === undefined ? firstBar(bars) : barBeside(bars, bar, step);
      setBar(next);
      onCursor(next && range.from + next.start);
    } else if (event.key === 'Enter' && bar !== undefined) open(bar);
  };
  const onClick = (event: MouseEvent) => {
    const one = found(event);
    const at = timeAt(event);
    if (one !== undefined) open(one);
    // There are too many attempts to draw each of them, so a click zooms in.
    else if (timeline.slots !== undefined && timeline.spans === undefined)
      onZoom(range.from + Math.max(0, at - span / 20), range.from + Math.min(span, at + span / 20));
  };
  return (
    <div
      class="canvas"
      style={{ height: `${height}px`, marginLeft: `${left}px`, width: `${width}px` }}
      tabindex={0}
      role="application"
      aria-label={`Workers over time, ${rows} slots. Arrow keys move between attempts; Enter opens the focused one.`}
      onKeyDown={onKey}
      onWheel={(event) => steering.onWheel(event, range.from + timeAt(event))}
      onPointerMove={(event) => {
        setBar(found(event));
        onCursor(range.from + timeAt(event));
      }}
      onPointerLeave={() => {
        setBar(undefined);
        onCursor(undefined);
      }}
      onClick={onClick}
    >
      <canvas ref={canvas} width={width} height={height} aria-hidden="true" />
      <Marks {...{ timeline, asOf, cursor, bar, rowHeight }} pending={steering.pending} />
    </div>
  );
}

const stepOf: Readonly<Partial<Record<string, 'left' | 'right' | 'up' | 'down'>>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

const hintOf = ({ slots, spans }: Timeline) =>
  spans === undefined && slots !== undefined
    ? 'too many attempts to draw individually: click to zoom in'
    : 'hover or use the arrow keys; click or press Enter to see a slice’s path';

function wordsOf(timeline: Timeline, bars: number) {
  const { slots, slot_count, spans } = timeline;
  const rows = rowsOf(timeline);
  const what =
    slots === undefined ? 'loading' : spans === undefined ? 'busy time in each bin' : amount(bars, 'attempt');
  return `${rows < slot_count ? `${rows} of ` : ''}${amount(slot_count, 'slot')}, ${what}`;
}

function readingOf(bar: Bar, timeline: Timeline) {
  const { from } = spanOf(timeline);
  return `${sliceFilename(bar.stf, bar.sliceId)} attempt ${bar.attempt}: ${bar.isOpen ? 'processing' : isLost(bar) ? 'no result' : bar.state} on ${timeline.slots?.[bar.row] ?? ''}, from ${clock(from + bar.start, true)}, ${duration((bar.end - bar.start) / 1000)}`;
}

interface MarksProps {
  timeline: Timeline;
  asOf: number | undefined;
  /** The range that the user is choosing with the wheel. */
  pending: Range | undefined;
  cursor: number | undefined;
  /** The attempt under the cursor. */
  bar: Bar | undefined;
  rowHeight: number;
}

/**
 * Marks drawn over the attempts: the time after the chosen moment, the range that is being chosen, and the
 * cursor with its attempt.
 */
function Marks({ timeline, asOf, pending, cursor, bar, rowHeight }: MarksProps) {
  const { from, until } = spanOf(timeline);
  const span = Math.max(1, until - from);
  const part = (time: number) => `${(Math.max(0, time) / span) * 100}%`;
  return (
    <>
      {holesIn(timeline).map((hole) => (
        <div key={hole.from} class="hole" style={{ left: part(hole.from - from), right: part(until - hole.to) }} />
      ))}
      {asOf !== undefined && asOf < until && <div class="later" style={{ left: part(asOf - from) }} />}
      {pending && (
        <div class="chosen" style={{ left: part(pending.from - from), right: part(until - pending.until) }} />
      )}
      {cursor !== undefined && cursor >= from && cursor <= until && (
        <div class="at" style={{ left: part(cursor - from) }} />
      )}
      {bar && (
        <div
          class="hit"
          style={{
            left: part(bar.start),
            width: part(Math.max(span / 300, bar.end - bar.start)),
            top: `${bar.row * rowHeight}px`,
            height: `${rowHeight}px`,
          }}
        />
      )}
    </>
  );
}

/** The last parts of the slots' names, next to their rows. */
function RowLabels({ slots, rowHeight }: { slots: readonly string[]; rowHeight: number }) {
  const each = Math.max(1, Math.ceil(14 / rowHeight));
  return (
    <div class="rows" aria-hidden="true" style={{ width: `${left - 6}px` }}>
      {slots.map((slot, row) =>
        row % each === 0 ? (
          <span key={slot} style={{ top: `${row * rowHeight + rowHeight / 2 - 7}px` }}>
            {slot.includes('/') ? slot.slice(slot.lastIndexOf('/') + 1) : slot.slice(-4)}
          </span>
        ) : null,
      )}
    </div>
  );
}

const TimeAxis = ({ from, until, width }: { from: number; until: number; width: number }) => (
  <svg class="axis" viewBox={`0 0 ${width} 20`} aria-hidden="true">
    <Times x={linear([from, until], [left, width - right])} {...{ from, until, width }} y={14} />
  </svg>
);
