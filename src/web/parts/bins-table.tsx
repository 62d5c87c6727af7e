import { spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { clock, count, zone } from '../shared/format.ts';
import { type Column, numbers, Table } from './table.tsx';

const names = ['arrived', 'completed', 'failed_attempts', 'queued', 'processing'] as const;

/** The values of the charts, one row per bin. */
export function BinsTable({ timeline }: { timeline: Timeline }) {
  const { from, bin: length } = spanOf(timeline);
  const columns: Column<number>[] = [
    { head: `from (${zone})`, cell: (bin) => clock(from + bin * length, length < 1000) },
    ...names.map((name) => numbers<number>(name.replace('_', ' '), (bin) => count(timeline.series[name][bin] ?? 0))),
  ];
  return (
    <Table
      label="bins"
      isTall
      rows={Array.from({ length: timeline.bins }, (_, bin) => bin)}
      keyOf={String}
      columns={columns}
    />
  );
}
