import type { Timeline } from '../shared/answers.ts';
import { count, duration } from '../shared/format.ts';
import { Card, More } from './card.tsx';
import { type Column, numbers, Table } from './table.tsx';

const shown = 12;

const columns: readonly Column<Timeline['workers'][number]>[] = [
  { head: 'slot', shade: 'mono', cell: ({ worker_id }) => worker_id },
  numbers('done', ({ completed }) => count(completed)),
  numbers('failed', ({ failed }) => count(failed)),
  numbers('mean', ({ mean_seconds }) => mean_seconds !== undefined && duration(mean_seconds), 'when'),
  numbers('longest', ({ longest_seconds }) => duration(longest_seconds), 'when'),
  {
    head: 'busy',
    cell: ({ busy_percent }) => (
      <div class="bar small" role="img" aria-label={`${busy_percent} % busy`}>
        <div class="processing" style={{ width: `${busy_percent}%` }} />
      </div>
    ),
  },
];

/** The worker slots of this time range, slots with failures and long slices first. */
export function Slots({ timeline }: { timeline: Timeline }) {
  const { workers } = timeline;
  return (
    <Card title="Slots" note="worst first, in this time">
      <Table
        label="Slots"
        rows={workers.slice(0, shown)}
        keyOf={({ worker_id }) => worker_id}
        columns={columns}
        isStacked
      />
      <More n={workers.length - shown} />
    </Card>
  );
}
