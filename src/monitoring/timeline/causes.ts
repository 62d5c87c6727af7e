import { sliceStatuses } from '../../domain/slice-states.ts';
import type { Attempts } from './attempts.ts';

const failed = sliceStatuses.indexOf('failed');

/** Attempts that failed alike. Times are milliseconds since 1970. */
export interface TimedCause {
  cause: string;
  attempts: number;
  /** Slices that failed so; `exhausted`: how many of them failed for good. */
  slices: number;
  exhausted: number;
  first: number;
  last: number;
  /** The first slice, by its STF file and its id. */
  example: { stf: string; sliceId: number };
  /** When they came: one character per twentieth of the window, `.` none, `1` to `9` a count, `#` more. */
  when: string;
}

const strip = 20;

/** Why attempts failed in a window, the most frequent cause first. */
export function causesOf(
  attempts: Attempts,
  { from, until }: { from: number; until: number },
  maxRetries: number,
): TimedCause[] {
  const causes = new Map<number, TimedCause & { times: number[]; ids: Set<number> }>();
  for (let at = 0; at < attempts.length; at += 1) {
    const time = attempts.completed[at] as number;
    if (attempts.state[at] !== failed || !(time >= from && time <= until)) continue;
    const number = attempts.cause[at] as number;
    const found = causes.get(number) ?? newCause(attempts, at);
    causes.set(number, found);
    found.attempts += 1;
    found.ids.add((attempts.stf[at] as number) * 2 ** 24 + (attempts.sliceId[at] as number));
    if (attempts.isCurrent[at] === 1 && (attempts.attempt[at] as number) > maxRetries) found.exhausted += 1;
    if (time < found.first) {
      found.first = time;
      found.example = exampleOf(attempts, at);
    }
    found.last = Math.max(found.last, time);
    const part = Math.min(strip - 1, Math.floor(((time - from) / Math.max(1, until - from)) * strip));
    found.times[part] = (found.times[part] ?? 0) + 1;
  }
  return [...causes.values()]
    .map(({ times, ids, ...cause }) => ({ ...cause, slices: ids.size, when: times.map(shownCount).join('') }))
    .toSorted((a, b) => b.attempts - a.attempts || a.first - b.first || (a.cause < b.cause ? -1 : 1));
}

const shownCount = (n: number): string => (n === 0 ? '.' : n > 9 ? '#' : String(n));

const exampleOf = (attempts: Attempts, at: number): TimedCause['example'] => ({
  stf: attempts.names.stf.all[attempts.stf[at] as number] ?? '',
  sliceId: attempts.sliceId[at] as number,
});

function newCause(attempts: Attempts, at: number): TimedCause & { times: number[]; ids: Set<number> } {
  return {
    cause: attempts.names.cause.all[attempts.cause[at] as number] ?? '',
    attempts: 0,
    slices: 0,
    exhausted: 0,
    first: Infinity,
    last: -Infinity,
    example: exampleOf(attempts, at),
    when: '',
    times: Array.from({ length: strip }, () => 0),
    ids: new Set(),
  };
}
