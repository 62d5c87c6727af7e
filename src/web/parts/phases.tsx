import { phasesIn, spanOf } from '../draw/span.ts';
import type { Monitor, Timeline } from '../shared/answers.ts';

/** The phases in words, and marks for notes, above the charts that have the phases' colours as background. */
export function PhaseStrip({ timeline, notes = [] }: { timeline: Timeline; notes?: Monitor['notes'] }) {
  const { begin, end } = spanOf(timeline);
  const span = Math.max(1, end - begin);
  return (
    <div class="phases" role="list" aria-label="Phases">
      {phasesIn(timeline).map(({ phase, by, from, to }) => {
        const words = phase === 'undriven' ? 'no driver' : by === undefined ? phase : `${phase} by ${by}`;
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
