import { isNoticeable } from '../../domain/shown.ts';
import { stagesForPeople } from '../../domain/stages.ts';
import { duration } from '../../lib/duration.ts';
import { linear, roundTicks } from '../draw/scale.ts';
import type { Comparison, Timeline } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import { usePoll, useWidth } from '../state/hooks.ts';
import { executionHash, type PageProps } from '../state/route.ts';
import { world } from '../transport/call.ts';
import { Answered } from './banner.tsx';
import { bottom, left, Levels, right, shown } from './chart-parts.tsx';
import { Dash, Pill } from './pill.tsx';
import { numbers, Table } from './table.tsx';

const everyMilliseconds = 3000;

/** Two executions side by side: the differences, as sentences; completions since each start; and the figures. */
export function Compare({ ids }: PageProps) {
  const [a = '', b = ''] = ids;
  const line = (execution_id: string) =>
    world.call<Timeline>('get_execution_timeline', { execution_id, detail: 'page', slots: 0, bins: 200 });
  const compared = () => world.call<Comparison>('compare_executions', { execution_id: a, with_execution_id: b });
  const ask = () => Promise.all([compared(), line(a), line(b)]);
  const polled = usePoll(ask, {
    key: `${a} ${b}`,
    every: everyMilliseconds,
    isOver: ([{ status }, ...lines]) =>
      lines.every(({ series }) => series !== undefined) && status.a !== 'running' && status.b !== 'running',
  });
  return (
    <section class="card">
      <Answered polled={polled}>
        {([comparison, ...lines]) => (
          <>
            <h1>
              a: <a href={executionHash(comparison.a)}>{comparison.a}</a>, b:{' '}
              <a href={executionHash(comparison.b)}>{comparison.b}</a>
            </h1>
            <Sentences comparison={comparison} />
            {lines.every(({ series }) => series !== undefined) && (
              <Completions names={[comparison.a, comparison.b]} lines={lines} />
            )}
            <Figures comparison={comparison} />
          </>
        )}
      </Answered>
    </section>
  );
}

function Sentences({ comparison: { differences } }: { comparison: Comparison }) {
  if (differences.length === 0) return <p>No noticeable difference.</p>;
  return (
    <ul>
      {differences.map((sentence) => (
        <li key={sentence}>{stagesForPeople(sentence)}</li>
      ))}
    </ul>
  );
}

/** Slices completed since the start of each execution: a solid line and a dashed one. */
function Completions({ names, lines }: { names: readonly string[]; lines: readonly Timeline[] }) {
  const [box, width] = useWidth();
  const height = 220;
  const sums = lines.map(({ series }) => {
    let sum = 0;
    return series.completed.map((n) => (sum += n));
  });
  const all = names.map((name, at) => `${name} ${sums[at]?.at(-1) ?? 0}`).join(', ');
  const longest = Math.max(...lines.map(({ bins, bin_seconds }) => bins * bin_seconds));
  const ticks = roundTicks(Math.max(1, ...sums.flat()));
  const x = linear([0, longest], [left, width - right]);
  const y = linear([0, ticks.at(-1) ?? 1], [height - bottom, 8]);
  return (
    <div ref={box} class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Slices completed since the start: ${all}`}>
        <g class="axis">
          <Levels ticks={ticks} y={y} width={width} />
          {roundTicks(longest).map((tick) =>
            tick > longest ? null : (
              <text key={tick} x={x(tick)} y={height - 6} class={x(tick) > width - 40 ? 'last' : undefined}>
                {duration(tick)}
              </text>
            ),
          )}
        </g>
        {sums.map((values, at) => (
          <polyline
            key={names[at]}
            class={`compare ${at === 0 ? 'first' : 'second'}`}
            points={[0, ...values]
              .map((value, bin) => `${x(bin * (lines[at]?.bin_seconds ?? 1)).toFixed(1)},${y(value).toFixed(1)}`)
              .join(' ')}
          />
        ))}
      </svg>
      <p class="legend">
        {names.map((name, at) => (
          <Dash key={name} shade={at === 0 ? 'first' : 'second'}>
            {name}
          </Dash>
        ))}
        <small>slices completed since the start</small>
      </p>
    </div>
  );
}

type Row = readonly [name: string, a: string, b: string, verdict?: 'better' | 'worse'];

/** How a figure is shown, and which of two values is better; without `better`, neither is. */
interface Shown {
  label: string;
  shown: (value: number) => string;
  unit: 'seconds' | 'other';
  better?: 'lower' | 'higher';
}

const figureNames: Readonly<Record<string, Shown>> = {
  duration_seconds: { label: 'duration', shown: duration, unit: 'seconds', better: 'lower' },
  stf_count: { label: 'STF files', shown: count, unit: 'other' },
  stf_failed: { label: 'STF files that failed', shown: count, unit: 'other', better: 'lower' },
  slices_completed: { label: 'slices completed', shown: count, unit: 'other' },
  slices_failed: { label: 'slices that failed for good', shown: count, unit: 'other', better: 'lower' },
  slice_retries: { label: 'retries', shown: count, unit: 'other', better: 'lower' },
  slices_per_second: { label: 'slices per second', shown, unit: 'other', better: 'higher' },
};

const delay = (stage: string): Shown => ({
  label: `${stagesForPeople(stage)}, 95th percentile`,
  shown: duration,
  unit: 'seconds',
  better: 'lower',
});

function rowOf({ label, shown: of, unit, better }: Shown, { a, b }: { a: number; b: number }, isJudged: boolean): Row {
  if (!isJudged || better === undefined || !isNoticeable(a, b, unit)) return [label, of(a), of(b)];
  return [label, of(a), of(b), b > a === (better === 'higher') ? 'better' : 'worse'];
}

/** The figures of both executions side by side, their delays, and the settings that differ. */
function Figures({ comparison }: { comparison: Comparison }) {
  const { status, figures, stages, configuration } = comparison;
  const isOver = status.a !== 'running' && status.b !== 'running';
  // Do not judge a run in progress, whose figures are incomplete, or runs at different speeds, which are
  // not comparable.
  const isJudged = isOver && configuration.every(({ key }) => key !== 'speed');
  const rows: Row[] = [
    ['state', status.a, status.b],
    ...Object.entries(figures).map(([name, both]) =>
      rowOf(figureNames[name] ?? { label: name, shown, unit: 'other' }, both, isJudged),
    ),
    ...stages.map(({ stage, p95 }) => rowOf(delay(stage), p95, isJudged)),
    ...configuration.map(({ key, a = 'not set', b = 'not set' }): Row => [key, a, b]),
  ];
  return (
    <Table
      label="Figures"
      rows={rows}
      keyOf={([name]) => name}
      isStacked
      columns={[
        { head: 'figure', cell: ([name]) => name },
        numbers<Row>('a', ([, a]) => a),
        numbers<Row>('b', ([, , b]) => b),
        { head: 'b against a', cell: ([, , , verdict]) => verdict && <Pill state={verdict} /> },
      ]}
    />
  );
}
