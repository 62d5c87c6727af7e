import { useEffect, useRef, useState } from 'preact/hooks';

import type { Range } from '../draw/span.ts';

/** The shortest part that can be chosen. Milliseconds. */
const shortest = 5;

/** A range made longer or shorter around a time that keeps its place. @param factor above 1 shows more */
export const scaled = ({ from, until }: Range, factor: number, around = (from + until) / 2): Range => ({
  from: around - (around - from) * factor,
  until: around + (until - around) * factor,
});

/** A range moved by a part of its length. @param by negative goes back in time */
export function moved({ from, until }: Range, by: number): Range {
  const step = (until - from) * by;
  return { from: from + step, until: until + step };
}

/**
 * The part of a run for a requested range: it keeps its length if it can, and lies within the run. Undefined
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
 * The range that a key requests: `+` and `-` around the cursor, Shift with an arrow to the side. With Ctrl,
 * Cmd or Alt they are the browser's.
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

/** How much one unit of a wheel changes a range; a notch is about 100 units. */
const perUnit = { scale: 0.002, move: 0.001 };

/**
 * The range that a turn of the wheel requests: with Ctrl or Cmd (a pinch on a trackpad) it scales around the
 * cursor, sideways or with Shift it moves. Undefined for a plain turn, which scrolls the page.
 */
export function rangeByWheel(shown: Range, turn: Turn, cursor: number): Range | undefined {
  const { deltaX, deltaY, ctrlKey, metaKey, shiftKey } = turn;
  if (ctrlKey || metaKey) return scaled(shown, Math.exp(deltaY * perUnit.scale), cursor);
  const sideways = shiftKey && deltaX === 0 ? deltaY : deltaX;
  return Math.abs(sideways) > Math.abs(shiftKey ? 0 : deltaY) ? moved(shown, sideways * perUnit.move) : undefined;
}

/** How long wheel and keys must rest before their range is requested. Milliseconds. */
const rest = 200;

/** How long to keep a range that was requested, if nothing else is drawn. Milliseconds. */
const patience = 2000;

/**
 * Changes the shown range of time by wheel and keys.
 * @param onZoom undefined if no other range can be shown
 */
export function useSteering(shown: Range, onZoom: ((from: number, until: number) => void) | undefined) {
  const [pending, setPending] = useState<Range | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isAsked = useRef(false);
  // The requested range is drawn now. A live run grows meanwhile, which does not count as the answer.
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
    /** The range requested by wheel or keys, not shown yet. */
    pending,
    onWheel: (event: WheelEvent, cursor: number) => void ask(event, rangeByWheel(pending ?? shown, event, cursor)),
    /** Returns whether the key was one of these. */
    onKey: (event: KeyboardEvent, cursor?: number) => ask(event, rangeByKey(pending ?? shown, event, cursor)),
  };
}
