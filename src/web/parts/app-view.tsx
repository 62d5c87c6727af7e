import { useEffect, useState } from 'preact/hooks';

import { drawable, isEnded, useMonitor, useTimeline } from '../state/asking.ts';
import { useNow } from '../state/hooks.ts';
import { countsNow } from '../state/moment.ts';
import { executionHash } from '../state/route.ts';
import { world } from '../transport/call.ts';
import { maxHeight } from '../transport/host.ts';
import { FaultBanner, Refused, Unanswered } from './banner.tsx';
import { Button } from './card.tsx';
import { Findings } from './findings.tsx';
import { Flow } from './flow.tsx';
import { Header } from './header.tsx';
import { Latency } from './latency.tsx';

const everyMilliseconds = 2000;
const shownFindings = 1;

/**
 * How many parts to leave out so that the page is at most this high, in pixels. Computed anew whenever
 * `key` changes.
 */
function useFit(height: number, key: string) {
  const [left, setLeft] = useState({ key, parts: 0 });
  const parts = left.key === key ? left.parts : 0;
  useEffect(() => {
    // Charts do not know their width until their second frame.
    const frame = requestAnimationFrame(() => {
      // Once the reader has opened a part, scrolling is acceptable.
      if (parts < 3 && document.querySelector('details[open]') === null && document.body.scrollHeight > height)
        setLeft({ key, parts: parts + 1 });
    });
    return () => cancelAnimationFrame(frame);
  });
  return parts;
}

/** One execution within a chat: no tabs, no lists, no scrolling. */
export function AppView({ id }: { id: string }) {
  const [cursor, onCursor] = useState<number | undefined>(undefined);
  // Renders again regularly: ages change, and the window's width may.
  useNow();
  const { answer: monitor, fault, at } = useMonitor(id, everyMilliseconds);
  const left = useFit(maxHeight, `${innerWidth} ${monitor?.findings.length}`);
  const isOver = monitor !== undefined && isEnded(monitor);
  const polled = useTimeline(id, { slots: 0, bins: 120 }, { every: everyMilliseconds, isOver });
  const timeline = drawable(polled.answer);
  if (monitor === undefined) return <Unanswered id={id} fault={fault} />;
  return (
    <>
      <FaultBanner fault={fault} at={at} />
      <Header
        monitor={monitor}
        verdict={undefined}
        counts={countsNow(monitor)}
        isNow={false}
        isAwaited={false}
        slider={null}
      />
      {monitor.findings.length > 0 && <Findings monitor={monitor} most={shownFindings} />}
      <Refused {...polled} />
      {timeline && left < 3 && <Flow {...{ monitor, timeline, cursor, onCursor }} isCompact hasBacklog={left < 2} />}
      {timeline && left < 1 && (
        <details>
          <summary>delays</summary>
          <Latency timeline={timeline} />
        </details>
      )}
      {world.openWide !== undefined && (
        <Button
          onClick={() => {
            location.hash = executionHash(id);
            world.openWide?.();
          }}
        >
          expand
        </Button>
      )}
    </>
  );
}
