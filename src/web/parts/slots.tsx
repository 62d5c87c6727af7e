import type { Timeline } from '../answers.ts';
import { count, duration } from '../format.ts';
import { Table } from './table.tsx';

const shown = 12;

/** The worker slots of this time, those with failures and long slices first. */
export function Slots({ timeline }: { timeline: Timeline }) {
  const { workers } = timeline;
  return (
    <section class="card">
      <h2>
        Slots <small>worst first, in this time</small>
      </h2>
      <Table
        label="Slots"
        rows={workers.slice(0, shown)}
        keyOf={({ worker_id }) => worker_id}
        columns={[
          { head: 'slot', shade: 'mono', cell: ({ worker_id }) => worker_id },
          { head: 'done', isNumber: true, cell: ({ completed }) => count(completed) },
          { head: 'failed', isNumber: true, cell: ({ failed }) => count(failed) },
          { head: 'mean', isNumber: true, shade: 'when', cell: ({ mean_seconds }) => duration(mean_seconds) },
          { head: 'longest', isNumber: true, shade: 'when', cell: ({ longest_seconds }) => duration(longest_seconds) },
          {
            head: 'busy',
            cell: ({ busy_percent }) => (
              <div class="bar small" role="img" aria-label={`${busy_percent} % busy`}>
                <div class="processing" style={{ width: `${busy_percent}%` }} />
              </div>
            ),
          },
        ]}
      />
      {workers.length > shown && <p class="small">and {workers.length - shown} more</p>}
    </section>
  );
}
