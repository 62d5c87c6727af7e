import { useRef } from 'preact/hooks';

import { dataWords } from '../../domain/data-words.ts';
import type { Audit, Monitor, Timeline, TimelineAnswer } from '../shared/answers.ts';
import { world } from '../transport/call.ts';
import { type Polled, useAnswer, usePoll, useSettled } from './hooks.ts';

export const isEnded = ({ status }: { status: string }) => status !== 'running';

/** Polls the monitor of an execution until the execution has ended. */
export function useMonitor(id: string, every: number): Polled<Monitor> {
  const ask = () => world.call<Monitor>('get_workflow_monitor', { execution_id: id });
  return usePoll(ask, { key: id, every, isOver: isEnded });
}

/**
 * How long a slider must rest before the moment that it points to is requested, in milliseconds, since the
 * slider passes many on the way.
 */
const settled = 100;

/** An execution at an earlier moment. */
interface Then {
  moment: string;
  monitor: Monitor;
}

/**
 * An execution at a moment; the previous answer is kept until the next one arrives.
 * @param asOf like the tools' `as_of`; if undefined, nothing is requested
 */
export function useMonitorAt(id: string, asOf: string | undefined) {
  const moment = useSettled(asOf, settled);
  const { answer, fault } = useAnswer(JSON.stringify([id, moment]), async (): Promise<Then | undefined> =>
    moment === undefined
      ? undefined
      : { moment, monitor: await world.call<Monitor>('get_workflow_monitor', { execution_id: id, as_of: moment }) },
  );
  const kept = useKept(answer);
  const past = asOf === undefined ? undefined : kept;
  return { past, isAwaited: past?.moment !== asOf && fault === undefined, fault };
}

/** Whether the data of an ended execution are complete. The audit is slow, so it is requested once. */
export function useVerdict(id: string, isOver: boolean) {
  const { answer, fault } = useAnswer(`${id} ${isOver}`, async () =>
    isOver ? world.call<Audit>('audit_execution', { execution_id: id }) : undefined,
  );
  // Some text is shown from the start, so that the line does not grow when the verdict arrives.
  return answer === undefined ? (isOver && fault === undefined ? 'checking' : undefined) : dataWords(answer);
}

/** Whether the last bin of a picture is over: time passes even if nothing is recorded. */
const isBehind = ({ until }: TimelineAnswer) => until !== undefined && Date.now() > Date.parse(until);

/**
 * The timeline of an execution, or of a part of it; returns the previous answer if nothing has changed and no
 * bin has ended.
 */
export function useTimeline(
  id: string,
  args: Record<string, unknown>,
  { every, isOver, isNeeded = true }: { every: number; isOver: boolean; isNeeded?: boolean },
) {
  const key = JSON.stringify([id, args, isOver, isNeeded]);
  const grows = !isOver && args['end_time'] === undefined;
  return usePoll<TimelineAnswer>(
    async (before) => {
      if (!isNeeded) return {} as TimelineAnswer;
      const asked = {
        execution_id: id,
        detail: 'page',
        ...args,
        ...(before?.seq === undefined || (grows && isBehind(before)) ? {} : { since: before.seq }),
      };
      const answer = await world.call<TimelineAnswer>('get_execution_timeline', asked);
      return answer.unchanged === true && before !== undefined ? before : answer;
    },
    { key, every, isOver: (answer) => !isNeeded || (isOver && answer.loading === undefined) },
  );
}

/**
 * A timeline with data to draw; undefined while it is loading, or if the answer only says that nothing has
 * changed.
 */
export const drawable = (answer: TimelineAnswer | undefined) =>
  answer === undefined || answer.series === undefined ? undefined : (answer as Timeline);

/** A part of a run, as arguments of tools. */
export interface Part {
  start_time?: string;
  end_time?: string;
}

/** Maximum number of slots whose attempts are shown. */
export const maxSlots = 400;

interface CourseOptions {
  every: number;
  isOver: boolean;
  /** Whether the attempts of each slot are requested too. */
  hasSlots: boolean;
}

/**
 * The course of a whole execution over time, and that of the part that the user chose. Each course is kept
 * until the next one arrives.
 */
export function useCourse(id: string, part: Part, { every, isOver, hasSlots }: CourseOptions) {
  const isPart = part.start_time !== undefined;
  // The whole run is shown, unless the user chose a part.
  const whole = useTimeline(id, { bins: 300, slots: 0 }, { every, isOver, isNeeded: isPart });
  const polled = useTimeline(id, { bins: 300, slots: hasSlots ? maxSlots : 0, ...part }, { every, isOver });
  const chosen = useKept(drawable(polled.answer));
  const line = useKept(drawable(isPart ? whole.answer : polled.answer));
  const at = useKept(polled.at === 0 ? undefined : polled.at);
  return {
    /** The course of the whole run. */
    line,
    /**
     * The course of the chosen part or, if none is chosen, of the whole run. The latter is requested in either
     * case.
     */
    shown: isPart ? chosen : line,
    /** Whether `shown` is still the previous part. */
    isAwaited: drawable(polled.answer) === undefined,
    /** The last poll, but with the arrival time of the picture that is still shown. */
    polled: { ...polled, at: at ?? 0 },
  };
}

/** Keeps the previous value until the next one arrives. */
function useKept<T>(value: T | undefined) {
  const kept = useRef(value);
  kept.current = value ?? kept.current;
  return kept.current;
}
