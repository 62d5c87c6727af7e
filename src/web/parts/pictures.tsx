import type { RefObject } from 'preact';

import type { Monitor, Timeline } from '../shared/answers.ts';
import { Skeleton } from './banner.tsx';
import { Flow } from './flow.tsx';
import { lazy } from './lazy.tsx';

const Latency = lazy(async () => (await import('./latency.tsx')).Latency);
const Slots = lazy(async () => (await import('./slots.tsx')).Slots);
const Workers = lazy(async () => (await import('./workers.tsx')).Workers);

interface PicturesProps {
  monitor: Monitor;
  shown: Timeline | undefined;
  asOf: number | undefined;
  theme: string;
  zoom: (from: number, until: number) => void;
  open: (name: string) => void;
  frame: RefObject<HTMLElement | null>;
  /** Whether the pictures are of the ended execution. */
  hasEnded: boolean;
}

/** The pictures of one time range: throughput, workers, delays, slots. */
export function Pictures({ monitor, shown, asOf, theme, zoom, open, frame, hasEnded }: PicturesProps) {
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
          <Workers timeline={shown} hasEnded={hasEnded} asOf={asOf} theme={theme} onOpen={open} onZoom={zoom} />
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
