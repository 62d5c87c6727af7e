import { useEffect, useRef, useState } from 'preact/hooks';

import type { Range } from '../draw/span.ts';

/** The shortest range that can be chosen, in milliseconds. */
const shortest = 5;

/**
 * A range made longer or shorter around a time that keeps its place on the screen.
 * @param factor factors above 1 show more
 */
export const scaled = ({ from, until }: Range, factor: number, around = (from + until) / 2): Range => ({
  from: around - (around - from) * factor,
  until: around + (until - around) * factor,
});

/** A range moved by a fraction of its length. @param by the fraction; negative values go back in time */
export function moved({ from, until }: Range, by: number): Range {
  const step = (until - from) * by;
  return { from: from + step, until: until + step };
}

/**
 * The part of a run for a requested range: of the same length if possible, and within the run. Undefined
 * for the whole run.
 */
export function partWithin(whole: Range, { from, until }: Range): Range | undefined {
  const length = Math.max(shortest, until - from);
  if (length >= whole.until - whole.from) return undefined;
  const begin = Math.min(Math.max(whole.from, from), whole.until - length);
  return { from: begin, until: begin + length };
}

type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/**
 * The range that a key requests: `+` and `-` scale the shown range around the cursor, and Shift with an arrow
 * moves it sideways. With Ctrl, Cmd or Alt these keys belong to the browser.
 */
export function rangeByKey(shown: Range, press: Press, cursor?: number): Range | undefined {
  const { key, shiftKey, ctrlKey, metaKey, altKey } = press;
  if (ctrlKey || metaKey || altKey) return undefined;
  if (key === '+' || key === '=') return scaled(shown, 0.5, cursor);
  if (key === '-') return scaled(shown, 2, cursor);
  if (!shiftKey) return undefined;
  if (key === 'ArrowLeft') return moved(shown, -0.5);
  return key === 'ArrowRight' ? moved(shown, 0.5) : undefined;
}

type Turn = Pick<WheelEvent, 'deltaX' | 'deltaY' | 'ctrlKey' | 'metaKey' | 'shiftKey'>;

/** How much one unit of wheel movement changes a range; a notch is about 100 units. */
const perUnit = { scale: 0.002, move: 0.001 };

/**
 * The range that a turn of the wheel requests: with Ctrl or Cmd (a pinch on a trackpad), the shown range scaled
 * around the cursor; sideways or with Shift, the shown range moved. Undefined for a plain turn, which scrolls
 * the page.
 */
export function rangeByWheel(shown: Range, turn: Turn, cursor: number): Range | undefined {
  const { deltaX, deltaY, ctrlKey, metaKey, shiftKey } = turn;
  if (ctrlKey || metaKey) return scaled(shown, Math.exp(deltaY * perUnit.scale), cursor);
  const sideways = shiftKey && deltaX === 0 ? deltaY : deltaX;
  return Math.abs(sideways) > Math.abs(shiftKey ? 0 : deltaY) ? moved(shown, sideways * perUnit.move) : undefined;
}

/** How long, in milliseconds, the wheel and keys must rest before the new range is requested. */
const rest = 200;

/** How long, in milliseconds, to keep a requested range if the drawing does not change. */
const patience = 2000;

/**
 * Lets the wheel and keys change the time range shown.
 * @param onZoom undefined if no other range can be shown
 */
export function useSteering(shown: Range, onZoom: ((from: number, until: number) => void) | undefined) {
  const [pending, setPending] = useState<Range | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isAsked = useRef(false);
  // A change after the request was sent means that the requested range is drawn now; an earlier change only
  // means that a live run has grown.
  useEffect(() => {
    if (isAsked.current) setPending(undefined);
  }, [shown.from, shown.until]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const ask = (event: Event, next: Range | undefined) => {
    if (next === undefined || onZoom === undefined) return false;
    event.preventDefault();
    setPending(next);
    isAsked.current = false;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      isAsked.current = true;
      onZoom(next.from, next.until);
      // At the edge of the run the drawing might not change, so stop waiting for a new one after a while.
      timer.current = setTimeout(() => setPending(undefined), patience);
    }, rest);
    return true;
  };
  return {
    /** The range that was requested with the wheel or keys but is not shown yet. */
    pending,
    onWheel: (event: WheelEvent, cursor: number) => void ask(event, rangeByWheel(pending ?? shown, event, cursor)),
    /** Returns whether the key requested a range. */
    onKey: (event: KeyboardEvent, cursor?: number) => ask(event, rangeByKey(pending ?? shown, event, cursor)),
  };
}
