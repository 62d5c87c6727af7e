import { useRef } from 'preact/hooks';

import { drawable, useTimeline } from './asking.ts';

/** A part of a run, as the tools take it. */
export interface Part {
  start_time?: string;
  end_time?: string;
}

interface CourseOptions {
  every: number;
  isOver: boolean;
  /** Whether the attempts of each slot are wanted too. */
  hasSlots: boolean;
}

/** The course of an execution over time, and of the part that somebody chose. Each stays until the next one arrives. */
export function useCourse(id: string, part: Part, { every, isOver, hasSlots }: CourseOptions) {
  const isPart = part.start_time !== undefined;
  // The picture of the whole run is the one that is shown, unless somebody chose a part.
  const whole = useTimeline(id, { bins: 300, slots: 0 }, { every, isOver, isNeeded: isPart });
  const polled = useTimeline(id, { bins: 300, slots: hasSlots ? 400 : 0, ...part }, { every, isOver });
  const chosen = useKept(drawable(polled.answer));
  const line = useKept(drawable(isPart ? whole.answer : polled.answer));
  const at = useKept(polled.at === 0 ? undefined : polled.at);
  return {
    /** Of the whole run. */
    line,
    /** Of the part, or of the whole run without one: when a part is left, that was asked for meanwhile. */
    shown: isPart ? chosen : line,
    /** Whether `shown` is still the previous part. */
    isAwaited: drawable(polled.answer) === undefined,
    /** With the time of the last picture, which stays until the next one arrives. */
    polled: { ...polled, at: at ?? 0 },
  };
}

/** Keeps the previous value until the next one arrives. */
function useKept<T>(value: T | undefined): T | undefined {
  const kept = useRef(value);
  kept.current = value ?? kept.current;
  return kept.current;
}
