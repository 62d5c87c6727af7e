import type { Bar } from '../draw/paint.ts';
import { linear } from '../draw/scale.ts';
import { holesIn, type Range, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { left, right, Times } from './chart-parts.tsx';

interface MarksProps {
  timeline: Timeline;
  asOf: number | undefined;
  /** The range that the wheel asks for. */
  pending: Range | undefined;
  /** The attempt under the cursor. */
  bar: Bar | undefined;
  rowHeight: number;
}

/** What lies over the attempts: what is later than the chosen moment, the range to be chosen, the attempt under the cursor. */
export function Marks({ timeline, asOf, pending, bar, rowHeight }: MarksProps) {
  const { from, until } = spanOf(timeline);
  const span = Math.max(1, until - from);
  const part = (time: number): string => `${(Math.max(0, time) / span) * 100}%`;
  return (
    <>
      {holesIn(timeline).map((hole) => (
        <div key={hole.from} class="hole" style={{ left: part(hole.from - from), right: part(until - hole.to) }} />
      ))}
      {asOf !== undefined && asOf < until && <div class="later" style={{ left: part(asOf - from) }} />}
      {pending && (
        <div class="chosen" style={{ left: part(pending.from - from), right: part(until - pending.until) }} />
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

/** The ends of the slots' names, beside their rows. */
export function RowLabels({ slots, rowHeight }: { slots: readonly string[]; rowHeight: number }) {
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

export const TimeAxis = ({ from, until, width }: { from: number; until: number; width: number }) => (
  <svg class="axis" viewBox={`0 0 ${width} 20`} aria-hidden="true">
    <Times x={linear([from, until], [left, width - right])} {...{ from, until, width }} y={14} />
  </svg>
);
