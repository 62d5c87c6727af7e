import type { Timeline } from '../shared/answers.ts';
import type { useShown } from '../state/moment.ts';
import type { CallError } from '../transport/call.ts';
import type { Steered } from './chart-parts.tsx';
import { Latency } from './latency.tsx';
import { People } from './people.tsx';
import { Slots } from './slots.tsx';
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
