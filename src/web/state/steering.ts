import { useEffect, useRef, useState } from 'preact/hooks';

import { type Range, rangeByKey, rangeByWheel } from './zoom.ts';

/** How long the wheel must rest before its range is requested. Milliseconds. */
const rest = 200;

interface Steering {
  /** The range that the wheel asks for, not requested yet. */
  pending: Range | undefined;
  onWheel: (event: WheelEvent, cursor: number) => void;
  /** Returns whether the key was one of these. */
  onKey: (event: KeyboardEvent, cursor?: number) => boolean;
}

/** Changes the shown range of time by wheel and keys. @param onZoom undefined where no other range can be shown */
export function useSteering(shown: Range, onZoom: ((from: number, until: number) => void) | undefined): Steering {
  const [pending, setPending] = useState<Range | undefined>(undefined);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onWheel = (event: WheelEvent, cursor: number): void => {
    const next = onZoom && rangeByWheel(pending ?? shown, event, cursor);
    if (next === undefined) return;
    event.preventDefault();
    setPending(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setPending(undefined);
      onZoom?.(next.from, next.until);
    }, rest);
  };
  const onKey = (event: KeyboardEvent, cursor?: number): boolean => {
    const next = onZoom && rangeByKey(shown, event, cursor);
    if (next === undefined) return false;
    event.preventDefault();
    onZoom?.(next.from, next.until);
    return true;
  };
  return { pending, onWheel, onKey };
}
