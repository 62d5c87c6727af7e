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
  /** Why they have not arrived. */
  fault: CallError | undefined;
  theme: string;
  /** Whether the pictures are of the ended execution. */
  hasEnded: boolean;
  shared: Pick<Parameters<typeof Workers>[0], 'asOf' | 'onZoom'> & Steered;
  open: (name: string) => void;
}

/** What is below the charts: every attempt, delays and slots under the charts' cursor, the logbook, and rows. */
export function Details({ at, shown, fault, theme, hasEnded, shared, open, ...rows }: Props) {
  const { monitor } = at;
  // Not before the charts above it: they would move it.
  if ((shown ?? fault) === undefined) return null;
  return (
    <>
      {monitor.sites === undefined && shown && (
        <>
          <section class="card">
            {shown.slot_count === 0 ? (
              <>
                <h2>Workers over time</h2>
                <p>No slot has begun a slice yet.</p>
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

/** Slots that are shown at first. */
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

/** The worker slots of this time range, slots with failures and long slices first. */
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
