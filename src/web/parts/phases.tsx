import { duration } from '../../lib/duration.ts';
import { type PhaseSpan, phasesIn, spanOf } from '../draw/span.ts';
import type { Monitor, Timeline } from '../shared/answers.ts';
import { momentOf, useAround } from '../state/world.ts';

/** A phase in words. The picture of a silent execution ends some time after its driver was lost, so they tell how long that is by now. */
function wordsOf({ phase, by, began, goesOn }: PhaseSpan, now: number): string {
  if (phase !== 'undriven') return by === undefined ? phase : `${phase} by ${by}`;
  return goesOn ? `no driver for ${duration((now - began) / 1000)}` : 'no driver';
}

interface PhaseStripProps {
  timeline: Timeline;
  /** The end of the charts below. Milliseconds since 1970. */
  until: number;
  notes?: Monitor['notes'];
}

/** The phases in words, and marks for notes, above the charts that have the phases' colours as background. */
export function PhaseStrip({ timeline, until, notes = [] }: PhaseStripProps) {
  const { from: begin, until: end } = spanOf(timeline);
  const span = Math.max(1, until - begin);
  const { world } = useAround();
  return (
    <div class="phases" role="list" aria-label="Phases">
      {phasesIn(timeline).map((part) => {
        const { phase, from, to } = part;
        const words = wordsOf(part, Math.max(end, momentOf(world)));
        return (
          <div
            key={`${phase} ${from}`}
            role="listitem"
            class={`band ${phase}`}
            title={words}
            style={{ left: `${((from - begin) / span) * 100}%`, width: `${((to - from) / span) * 100}%` }}
          >
            <span>{words}</span>
          </div>
        );
      })}
      {notes.map(({ at, author, text }) => {
        const place = (Date.parse(at) - begin) / span;
        return (
          place >= 0 &&
          place <= 1 && (
            <div
              key={at + text}
              role="listitem"
              class="note-mark"
              title={`${author}: ${text}`}
              aria-label={`note of ${author}: ${text}`}
              style={{ left: `${place * 100}%` }}
            />
          )
        );
      })}
    </div>
  );
}
