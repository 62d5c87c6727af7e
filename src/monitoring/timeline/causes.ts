import { failedState } from '../../domain/slice-states.ts';
import type { Attempts, Period } from './attempts.ts';

/** Attempts that failed for the same cause. Times are milliseconds since 1970. */
export type TimedCause = ReturnType<typeof causesOf>[number];

const strip = 20;

/** Why attempts failed in a window, most frequent cause first. */
export function causesOf(attempts: Attempts, { from, until }: Period, maxRetries: number) {
  const causes = new Map<number, ReturnType<typeof newCause>>();
  const allHosts = new Set<number>();
  for (let at = 0; at < attempts.length; at += 1) {
    if ((attempts.host[at] as number) >= 0) allHosts.add(attempts.host[at] as number);
    const time = attempts.completed[at] as number;
    if (attempts.state[at] !== failedState || !(time >= from && time <= until)) continue;
    const number = attempts.cause[at] as number;
    const found = causes.get(number) ?? newCause(attempts, at);
    causes.set(number, found);
    found.attempts += 1;
    found.ids.add((attempts.stf[at] as number) * 2 ** 24 + (attempts.sliceId[at] as number));
    if (attempts.isCurrent[at] === 1 && (attempts.attempt[at] as number) > maxRetries) found.exhausted += 1;
    const slot = attempts.worker[at] as number;
    found.slots.set(slot, (found.slots.get(slot) ?? 0) + 1);
    found.hosts.add(attempts.host[at] as number);
    if (time < found.first) {
      found.first = time;
      found.example = exampleOf(attempts, at);
    }
    found.last = Math.max(found.last, time);
    const part = Math.min(strip - 1, Math.floor(((time - from) / Math.max(1, until - from)) * strip));
    found.times[part] = (found.times[part] ?? 0) + 1;
  }
  return [...causes.values()]
    .map(({ times, ids, slots, hosts, ...cause }) => ({
      ...cause,
      slices: ids.size,
      ...slotsOf(attempts, slots),
      /**
       * The host of these attempts, if all of them ran on the same host and other attempts of the execution ran
       * on others.
       */
      host: allHosts.size > 1 ? onlyHost(attempts, hosts) : undefined,
      /**
       * When the failures occurred, one character for each twentieth of the window: `.` none, `1` to `9`
       * their number, `#` more.
       */
      when: times.map(shownCount).join(''),
    }))
    .toSorted((a, b) => b.attempts - a.attempts || a.first - b.first || (a.cause < b.cause ? -1 : 1));
}

/**
 * Number of slots with failed attempts, the slot with the most, and its number of failed attempts. Attempts
 * with an unknown slot are not counted.
 */
function slotsOf({ names: { worker } }: Attempts, slots: ReadonlyMap<number, number>) {
  const known = [...slots]
    .filter(([slot]) => slot >= 0)
    .toSorted(([slot, a], [other, b]) => b - a || ((worker.all[slot] ?? '') < (worker.all[other] ?? '') ? -1 : 1));
  const [slot = -1, worstSlotAttempts = 0] = known[0] ?? [];
  return { slots: known.length, worstSlot: worker.all[slot] ?? '', worstSlotAttempts };
}

/** The host of all these attempts; undefined if there are several hosts, or if an attempt has no host. */
function onlyHost({ names: { host } }: Attempts, hosts: ReadonlySet<number>) {
  const [only = -1, ...others] = hosts;
  return others.length === 0 ? host.all[only] : undefined;
}

const shownCount = (n: number) => (n === 0 ? '.' : n > 9 ? '#' : String(n));

/** A slice, identified by its STF file and its id. */
const exampleOf = (attempts: Attempts, at: number) => ({
  stf: attempts.names.stf.all[attempts.stf[at] as number] ?? '',
  sliceId: attempts.sliceId[at] as number,
});

function newCause(attempts: Attempts, at: number) {
  return {
    cause: attempts.names.cause.all[attempts.cause[at] as number] ?? '',
    attempts: 0,
    exhausted: 0,
    first: Infinity,
    last: -Infinity,
    example: exampleOf(attempts, at),
    times: Array.from({ length: strip }, () => 0),
    ids: new Set<number>(),
    /** Number of attempts by slot, and the indexes of the hosts. */
    slots: new Map<number, number>(),
    hosts: new Set<number>(),
  };
}
