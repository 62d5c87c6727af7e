import { useRef } from 'preact/hooks';

import type { Timeline, TimelineAnswer } from '../shared/answers.ts';
import { drawable, useTimeline } from './asking.ts';
import type { Polled } from './hooks.ts';

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

interface Course {
  /** Of the whole run. */
  line: Timeline | undefined;
  /** Of the part, or of the whole run without one. */
  shown: Timeline | undefined;
  /** Whether `shown` is still the previous part. */
  isAwaited: boolean;
  polled: Polled<TimelineAnswer>;
}

/** The course of an execution over time, and of the part that somebody chose. Each stays until the next one arrives. */
export function useCourse(id: string, part: Part, { every, isOver, hasSlots }: CourseOptions): Course {
  const isPart = part.start_time !== undefined;
  // The picture of the whole run is the one that is shown, unless somebody chose a part.
  const whole = useTimeline(id, { bins: 300, slots: 0 }, { every, isOver, isNeeded: isPart });
  const polled = useTimeline(id, { bins: 300, slots: hasSlots ? 400 : 0, ...part }, { every, isOver });
  const chosen = useKept(drawable(polled.answer));
  const line = useKept(drawable(isPart ? whole.answer : polled.answer));
  // When a part is left, the whole run was asked for meanwhile.
  return { line, shown: isPart ? chosen : line, isAwaited: drawable(polled.answer) === undefined, polled };
}

/** Keeps the previous timeline until the next one arrives. */
function useKept(timeline: Timeline | undefined): Timeline | undefined {
  const kept = useRef(timeline);
  kept.current = timeline ?? kept.current;
  return kept.current;
}
