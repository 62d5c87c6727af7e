import type { Timeline } from '../answers.ts';

/** The phases in words, over the charts whose grounds have their colours. */
export function PhaseStrip({ timeline }: { timeline: Timeline }) {
  const [begin, end] = [Date.parse(timeline.from), Date.parse(timeline.until)];
  const span = Math.max(1, end - begin);
  return (
    <div class="phases" role="list" aria-label="Phases">
      {timeline.phases.map(({ phase, start, end: until, by }) => {
        const from = Math.max(begin, Date.parse(start));
        const to = Math.min(end, until === undefined ? end : Date.parse(until));
        if (to <= from) return null;
        const words = by === undefined ? phase : `${phase} by ${by}`;
        return (
          <div
            key={start}
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
