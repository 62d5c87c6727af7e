import type { Timeline } from '../shared/answers.ts';

/** A range of time, in milliseconds since 1970. */
export interface Range {
  from: number;
  until: number;
}

/** The drawn time range, and the length of a bin in milliseconds. */
export const spanOf = ({ from, until, bin_seconds }: Timeline): Range & { bin: number } => ({
  from: Date.parse(from),
  until: Date.parse(until),
  bin: bin_seconds * 1000,
});

export type PhaseSpan = ReturnType<typeof phasesIn>[number];

/** The parts of the phases within the drawn time range. */
export function phasesIn(timeline: Timeline) {
  const range = spanOf(timeline);
  return timeline.phases
    .map(({ phase, by, start, end }) => ({
      phase,
      by,
      from: Math.max(range.from, Date.parse(start)),
      to: end === undefined ? range.until : Math.min(range.until, Date.parse(end)),
      /** When the phase began, which may be before the drawn range. */
      began: Date.parse(start),
      goesOn: end === undefined,
    }))
    .filter(({ from, to }) => to > from);
}

/** The hatched parts: periods without a driver, or about which nothing is known. */
export const holesIn = (timeline: Timeline) =>
  phasesIn(timeline).filter(({ phase }) => phase === 'undriven' || phase === 'unheard' || phase === 'unwritten');
