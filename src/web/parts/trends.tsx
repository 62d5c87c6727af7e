import { duration } from '../../lib/duration.ts';
import type { Sums } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import { useAnswer } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';
import { Answered } from './banner.tsx';
import { Table, numbers } from './table.tsx';

type Day = Sums & { day: string };

const maxDays = 30;
const [width, height] = [900, 60];

/** Runs day by day: the share of slices that stay failed, the duration of runs, and slices per second. */
export function Trends() {
  const { world } = useAround();
  const asked = { what: 'executions', group_by: 'day', order_by: 'key', start_time: `-${maxDays}d` };
  const polled = useAnswer('trends', () => world.call<{ groups: Day[] }>('summarize', asked));
  return (
    <Answered polled={polled}>
      {({ groups }) => {
        const days = groups.toSorted((a, b) => (a.day < b.day ? -1 : 1));
        return days.length === 0 ? <p>No run in {maxDays} days.</p> : <Pictures days={days} />;
      }}
    </Answered>
  );
}

const failedShare = ({ slices = 0, stay_failed = 0 }: Day): number => (100 * stay_failed) / Math.max(1, slices);
const p95 = ({ seconds }: Day): number => seconds?.p95 ?? 0;
const rate = ({ slices = 0, seconds, count: runs }: Day): number => {
  const total = (seconds?.mean ?? 0) * runs;
  return total === 0 ? 0 : slices / total;
};

const Pictures = ({ days }: { days: readonly Day[] }) => (
  <>
    <p class="small">
      {days[0]?.day} to {days.at(-1)?.day}, UTC
    </p>
    <Bars
      days={days}
      title="Slices that stay failed"
      shade="failed"
      of={failedShare}
      shown={(n) => `${n.toFixed(1)} %`}
    />
    <Bars days={days} title="95 % of runs took at most" shade="processing" of={p95} shown={duration} />
    <Bars
      days={days}
      title="Slices a second while runs went on"
      shade="completed"
      of={rate}
      shown={(n) => n.toFixed(1)}
    />
    <details>
      <summary>as a table</summary>
      <Table
        label="Runs by day"
        rows={days}
        keyOf={({ day }) => day}
        columns={[
          { head: 'day', cell: ({ day }) => day },
          numbers<Day>('runs', ({ count: runs }) => count(runs)),
          numbers<Day>('slices', ({ slices = 0 }) => count(slices)),
          numbers<Day>('stay failed', (day) => `${failedShare(day).toFixed(1)} %`),
          numbers<Day>('p95 of duration', (day) => duration(p95(day))),
          numbers<Day>('slices/s', (day) => rate(day).toFixed(1)),
        ]}
      />
    </details>
  </>
);

interface BarsProps {
  days: readonly Day[];
  title: string;
  shade: string;
  of: (day: Day) => number;
  shown: (value: number) => string;
}

function Bars({ days, title, shade, of, shown }: BarsProps) {
  const most = Math.max(1e-9, ...days.map((day) => of(day)));
  const step = width / days.length;
  const label = `${title}, by day, up to ${shown(most)}`;
  return (
    <figure class="chart">
      <figcaption>
        {title} <small>up to {shown(most)}</small>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {days.map((day, n) => (
          <rect
            key={day.day}
            class={`area ${shade}`}
            x={n * step + 1}
            width={Math.max(1, Math.min(step - 2, 40))}
            y={height - (height * of(day)) / most}
            height={(height * of(day)) / most}
          >
            <title>{`${day.day}: ${shown(of(day))}, ${count(day.count)} runs`}</title>
          </rect>
        ))}
      </svg>
    </figure>
  );
}
