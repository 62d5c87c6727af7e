import type { RefObject } from 'preact';

import type { Monitor, Timeline } from '../shared/answers.ts';
import type { PageProps } from '../state/route.ts';
import { Skeleton } from './banner.tsx';
import { Flow } from './flow.tsx';
import { Latency } from './latency.tsx';
import { lazy } from './lazy.tsx';
import { Slots } from './slots.tsx';

const Workers = lazy(async () => (await import('./workers.tsx')).Workers);

interface PicturesProps {
  monitor: Monitor;
  shown: Timeline | undefined;
  asOf: number | undefined;
  theme: string;
  change: PageProps['change'];
  open: (name: string) => void;
  frame: RefObject<HTMLElement | null>;
}

/** The pictures of one time range: throughput, workers, delays, slots. */
export function Pictures({ monitor, shown, asOf, theme, change, open, frame }: PicturesProps) {
  const zoom = (from: number, until: number): void =>
    change({ from: new Date(from).toISOString(), to: new Date(until).toISOString() });
  return (
    <>
      {shown && <Flow monitor={monitor} timeline={shown} asOf={asOf} onZoom={zoom} />}
      <section class="card" ref={frame}>
        {shown?.slots === undefined ? (
          <>
            <h2>Workers over time</h2>
            {shown?.slot_count === 0 ? <p>No slot has begun a slice yet.</p> : <Skeleton />}
          </>
        ) : (
          <Workers timeline={shown} asOf={asOf} theme={theme} onOpen={open} onZoom={zoom} />
        )}
      </section>
      {shown && (
        <div class={`two ${asOf === undefined ? '' : 'dimmed'}`}>
          <Latency timeline={shown} />
          <Slots timeline={shown} />
        </div>
      )}
    </>
  );
}
