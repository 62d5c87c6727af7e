import { phasesIn, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';

/** The phases in words, over the charts whose grounds have their colours. */
export function PhaseStrip({ timeline }: { timeline: Timeline }) {
  const { begin, end } = spanOf(timeline);
  const span = Math.max(1, end - begin);
  return (
    <div class="phases" role="list" aria-label="Phases">
      {phasesIn(timeline).map(({ phase, by, from, to }) => {
        const words = by === undefined ? phase : `${phase} by ${by}`;
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
    </div>
  );
}
