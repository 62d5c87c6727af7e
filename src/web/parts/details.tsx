import { useState } from 'preact/hooks';

import { duration } from '../../lib/duration.ts';
import type { Timeline } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import type { useShown } from '../state/moment.ts';
import type { CallError } from '../transport/call.ts';
import { Button, Card } from './card.tsx';
import type { Steered } from './chart-parts.tsx';
import { Latency } from './latency.tsx';
import { People } from './people.tsx';
import { type Column, numbers, Table } from './table.tsx';
import { Tabs } from './tabs.tsx';
import { Workers } from './workers.tsx';

interface Props extends Omit<Parameters<typeof Tabs>[0], 'executionId' | 'asOf' | 'onOpen'> {
  at: ReturnType<typeof useShown>;
  /** Undefined until the pictures have arrived. */
  shown: Timeline | undefined;
  /** Why the pictures have not arrived. */
  fault: CallError | undefined;
  theme: string;
  /** Whether the execution has ended and the pictures are final. */
  hasEnded: boolean;
  shared: Pick<Parameters<typeof Workers>[0], 'asOf' | 'onZoom'> & Steered;
  open: (name: string) => void;
}

/**
 * The part below the charts: every attempt (with the same cursor as the charts), delays, slots, the logbook,
 * and rows.
 */
export function Details({ at, shown, fault, theme, hasEnded, shared, open, ...rows }: Props) {
  const { monitor } = at;
  // Shown only after the charts above, since they would push this part down.
  if ((shown ?? fault) === undefined) return null;
  return (
    <>
      {monitor.sites === undefined && shown && (
        <>
          <section class="card">
            {shown.slot_count === 0 ? (
              <>
                <h2>Workers over time</h2>
                <p>No slice has started yet.</p>
              </>
            ) : (
              <Workers timeline={shown} hasEnded={hasEnded} theme={theme} onOpen={open} {...shared} />
            )}
          </section>
          <div class={`two ${shared.asOf === undefined ? '' : 'dimmed'}`}>
            <Latency timeline={shown} />
            <Slots timeline={shown} />
          </div>
        </>
      )}
      <People monitor={monitor} />
      <div class={at.isNow ? 'dimmed' : ''}>
        <Tabs executionId={monitor.execution_id} asOf={at.moment} onOpen={open} {...rows} />
      </div>
    </>
  );
}

/** How many slots are shown at first. */
const shownSlots = 12;

const slotColumns: readonly Column<Timeline['workers'][number]>[] = [
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

/** The worker slots in the shown time range, beginning with those that have failures or long slices. */
function Slots({ timeline: { workers } }: { timeline: Timeline }) {
  const [isAll, setAll] = useState(false);
  return (
    <Card title="Slots" note="worst first, in this period">
      <Table
        label="Slots"
        rows={isAll ? workers : workers.slice(0, shownSlots)}
        keyOf={({ worker_id }) => worker_id}
        columns={slotColumns}
        isStacked
        isTall={isAll}
      />
      {workers.length > shownSlots && (
        <Button onClick={() => setAll(!isAll)}>
          {isAll ? `the worst ${shownSlots}` : `all ${count(workers.length)}`}
        </Button>
      )}
    </Card>
  );
}
