import { useEffect, useState } from 'preact/hooks';

import type { Comparison, Timeline } from '../answers.ts';
import { linear, roundTicks } from '../draw/scale.ts';
import { count, duration } from '../format.ts';
import { useWidth } from '../state/hooks.ts';
import { executionHash } from '../state/route.ts';
import { useAround } from '../state/world.ts';
import type { CallError } from '../transport/call.ts';
import { Skeleton } from './banner.tsx';
import { Dash } from './legend.tsx';
import { Table } from './table.tsx';

/** Two executions beside each other: sentences, completions since their starts, and the figures. */
export function Compare({ ids }: { ids: readonly string[] }) {
  const { world } = useAround();
  const [a = '', b = ''] = ids;
  const [state, setState] = useState<{ comparison?: Comparison; lines?: Timeline[]; fault?: CallError }>({});
  useEffect(() => {
    let isGone = false;
    setState({});
    const line = (execution_id: string): Promise<Timeline> =>
      world.call<Timeline>('get_execution_timeline', { execution_id, detail: 'page', slots: 0, bins: 200 });
    Promise.all([
      world.call<Comparison>('compare_executions', { execution_id: a, with_execution_id: b }),
      line(a),
      line(b),
    ]).then(
      ([comparison, ...lines]) => !isGone && setState({ comparison, lines }),
      (fault: CallError) => !isGone && setState({ fault }),
    );
    return () => {
      isGone = true;
    };
  }, [a, b]);
  const { comparison, lines = [], fault } = state;
  return (
    <section class="card">
      <h1>
        <a href={executionHash(a)}>{a}</a> and <a href={executionHash(b)}>{b}</a>
      </h1>
      {fault !== undefined && <p class="banner bad">! {fault.message}</p>}
      {comparison === undefined ? fault === undefined && <Skeleton /> : <Sentences comparison={comparison} />}
      {lines.length === 2 && lines.every(({ series }) => series !== undefined) && (
        <Completions names={[a, b]} lines={lines} />
      )}
      {comparison !== undefined && <Figures comparison={comparison} names={[a, b]} />}
    </section>
  );
}

function Sentences({ comparison }: { comparison: Comparison }) {
  const sentences = (comparison['sentences'] ?? comparison['summary']) as string[] | string | undefined;
  const all = Array.isArray(sentences) ? sentences : sentences === undefined ? [] : [sentences];
  return (
    <ul>
      {all.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

/** Slices completed since the start: a whole line and a broken one. */
function Completions({ names, lines }: { names: readonly string[]; lines: readonly Timeline[] }) {
  const [box, width] = useWidth();
  const height = 220;
  const sums = lines.map(({ series }) => {
    let sum = 0;
    return series.completed.map((n) => (sum += n));
  });
  const longest = Math.max(...lines.map(({ bins, bin_seconds }) => bins * bin_seconds));
  const ticks = roundTicks(Math.max(1, ...sums.flat()));
  const x = linear([0, longest], [52, width - 8]);
  const y = linear([0, ticks.at(-1) ?? 1], [height - 22, 8]);
  return (
    <div ref={box} class="chart">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Slices completed since the start: ${names.map((name, at) => `${name} ${sums[at]?.at(-1) ?? 0}`).join(', ')}`}
      >
        <g class="axis">
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={52} x2={width - 8} y1={y(tick)} y2={y(tick)} />
              <text x={46} y={y(tick) + 4} text-anchor="end">
                {count(tick)}
              </text>
            </g>
          ))}
          {roundTicks(longest).map((tick) =>
            tick > longest ? null : (
              <text key={tick} x={x(tick)} y={height - 6} text-anchor="middle">
                {duration(tick)}
              </text>
            ),
          )}
        </g>
        {sums.map((values, at) => (
          <polyline
            key={names[at]}
            class={`compare ${at === 0 ? 'first' : 'second'}`}
            points={values
              .map((value, bin) => `${x((bin + 1) * (lines[at]?.bin_seconds ?? 1)).toFixed(1)},${y(value).toFixed(1)}`)
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
        <span class="small">slices completed since the start</span>
      </p>
    </div>
  );
}

/** Every pair of figures of the answer that differs, as it is. */
function Figures({ comparison, names }: { comparison: Comparison; names: readonly string[] }) {
  const [first = '', second = ''] = names;
  return (
    <Table
      label="Figures"
      rows={rowsOf(comparison)}
      keyOf={({ name }) => name}
      columns={[
        { head: 'figure', cell: ({ name }) => name.replaceAll('_', ' ') },
        { head: first, isNumber: true, shade: 'words', cell: ({ a }) => a },
        { head: second, isNumber: true, shade: 'words', cell: ({ b }) => b },
      ]}
    />
  );
}

function rowsOf(comparison: Comparison): { name: string; a: string; b: string }[] {
  const lists = Object.values(comparison).filter(
    (value): value is Record<string, unknown>[] => Array.isArray(value) && typeof value[0] === 'object',
  );
  return lists.flatMap((list) =>
    list.map((row) => {
      const [name, ...values] = Object.values(row);
      const [a, b] = values;
      return { name: String(name), a: shown(a), b: shown(b) };
    }),
  );
}

const shown = (value: unknown): string =>
  value === undefined || value === null
    ? ''
    : typeof value === 'number'
      ? Number.isInteger(value)
        ? count(value)
        : String(value)
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
