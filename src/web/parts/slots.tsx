import { useState } from 'preact/hooks';

import { duration } from '../../lib/duration.ts';
import type { Timeline } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import { Button, Card } from './card.tsx';
import { type Column, numbers, Table } from './table.tsx';

const shown = 12;

const columns: readonly Column<Timeline['workers'][number]>[] = [
  { head: 'slot', shade: 'mono', cell: ({ worker_id }) => worker_id },
  numbers('done', ({ completed }) => count(completed)),
  numbers('failed', ({ failed }) => <span class={failed > 0 ? 'bad' : ''}>{count(failed)}</span>),
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
export function Slots({ timeline: { workers } }: { timeline: Timeline }) {
  const [isAll, setAll] = useState(false);
  return (
    <Card title="Slots" note="worst first, in this period">
      <Table
        label="Slots"
        rows={isAll ? workers : workers.slice(0, shown)}
        keyOf={({ worker_id }) => worker_id}
        columns={columns}
        isStacked
        isTall={isAll}
      />
      {workers.length > shown && (
        <Button onClick={() => setAll(!isAll)}>{isAll ? `the worst ${shown}` : `all ${count(workers.length)}`}</Button>
      )}
    </Card>
  );
}
