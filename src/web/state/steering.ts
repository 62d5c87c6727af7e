import { useEffect, useRef, useState } from 'preact/hooks';

import type { Range } from '../draw/span.ts';
import { rangeByKey, rangeByWheel } from './zoom.ts';

/** How long wheel and keys must rest before their range is requested. Milliseconds. */
const rest = 200;

/** How long to keep a range that was requested, if nothing else is drawn. Milliseconds. */
const patience = 2000;

/** Changes the shown range of time by wheel and keys. @param onZoom undefined where no other range can be shown */
export function useSteering(shown: Range, onZoom: ((from: number, until: number) => void) | undefined) {
  const [pending, setPending] = useState<Range | undefined>(undefined);
  const timer = useRef<number | undefined>(undefined);
  const isAsked = useRef(false);
  // The requested range is drawn now. A live run grows meanwhile, which is no answer.
  useEffect(() => {
    if (isAsked.current) setPending(undefined);
  }, [shown.from, shown.until]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const ask = (event: Event, next: Range | undefined): boolean => {
    if (next === undefined || onZoom === undefined) return false;
    event.preventDefault();
    setPending(next);
    isAsked.current = false;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      isAsked.current = true;
      onZoom(next.from, next.until);
      // At the edge of the run nothing else is drawn.
      timer.current = setTimeout(() => setPending(undefined), patience);
    }, rest);
    return true;
  };
  return {
    /** The range that wheel or keys ask for, not shown yet. */
    pending,
    onWheel: (event: WheelEvent, cursor: number) => void ask(event, rangeByWheel(pending ?? shown, event, cursor)),
    /** Returns whether the key was one of these. */
    onKey: (event: KeyboardEvent, cursor?: number) => ask(event, rangeByKey(pending ?? shown, event, cursor)),
  };
}
