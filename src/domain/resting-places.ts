import { isRetried } from './slice-states.ts';

/**
 * A place is suspect after this many failures in a row if, at another place's failure rate, their probability is
 * below `chance`.
 */
const [enoughFailures, chance] = [3, 0.001];

/**
 * A trial has failed once its failures are less probable than this. If others rarely fail, the first failure is
 * enough.
 */
const trialChance = 0.1;

/** The highest failure rate to assume for a place that has not failed yet, since it may be a good one. */
const unfailedRate = 0.1;

/**
 * A suspect place rests once other places have completed `enoughBlames` of the slices that failed there, or all
 * of them, and at least `blamesPerExcuse` times as many as failed elsewhere too.
 */
const [enoughBlames, blamesPerExcuse] = [3, 4];

/**
 * The first and the longest pause (a wait or a rest), in milliseconds, of a place if another place has
 * succeeded. Each pause is twice as long as the one before, until an attempt succeeds.
 */
const [firstPause, longestPause] = [10_000, 300_000];

/** Maximum time, in milliseconds, that a suspect place waits if no other place has ended an attempt yet. */
const longWait = 120_000;

/** A place that takes no slices for now. */
export interface Resting {
  place: string;
  /** The latest time at which the pause may end, by the caller's clock. */
  until: number;
  /** Number of attempts that failed in a row at the place. */
  failures: number;
  /** The last error at the place. */
  error: string;
  /** Whether the slices that failed here succeeded elsewhere; if not, this place waits for others to try them. */
  isToBlame: boolean;
}

interface EndedAttempt {
  place: string;
  slice: string;
  /** The error; undefined if the attempt succeeded. */
  error: string | undefined;
  /** The number of the slice's attempt, from 1. */
  attempt: number;
}

/**
 * Decides which places of an execution rest: slots of one process, or workers on a broker. A place whose attempts
 * fail immediately would take every slice and use up all retries, although other places work. So a place with more
 * failures in a row than chance explains waits for others to try its slices. If others complete the slices, the place
 * rests. After each pause it is on trial: it takes one slice at a time until one succeeds, and each failure begins a
 * longer pause. If the slices fail elsewhere too, the slices are to blame, and the place continues. The place also
 * continues if everything fails everywhere. Times are in milliseconds, by any clock.
 */
export class RestingPlaces {
  readonly #places = new Map<string, Place>();
  /** The places with failures since their last success. Usually there are none, so a result takes no extra time. */
  readonly #failing = new Map<string, Place>();
  readonly #maxRetries: number;
  readonly #isPresent: (place: string) => boolean;

  /**
   * @param maxRetries if 0, no other worker tries a failed slice, so no place is ever to blame
   * @param isPresent whether a place is still there; nothing waits for a place that is gone
   */
  constructor(maxRetries: number, isPresent: (place: string) => boolean = () => true) {
    this.#maxRetries = maxRetries;
    this.#isPresent = isPresent;
  }

  begun(name: string): void {
    this.#place(name);
  }

  /** Records the end of an attempt. Returns the rests that begin as a result. */
  ended({ place: name, slice, error, attempt }: EndedAttempt, now: number): Resting[] {
    const place = this.#place(name);
    const hasFailed = error !== undefined;
    const isOnTrial = hasFailed && this.onTrial(now).some((one) => one.place === name);
    // A failure at a place where nothing has succeeded does not excuse another place.
    const isWitness = !hasFailed || place.failed < place.tried;
    const others = isWitness
      ? [...this.#failing].filter(([, other]) => other !== place && other.slices.delete(slice))
      : [];
    for (const [, other] of others) other[hasFailed ? 'excuses' : 'blames'] += 1;
    const kind = attempt > 1 ? 'again' : 'first';
    place.tried += 1;
    place[kind].tried += 1;
    if (hasFailed) {
      this.#failing.set(name, place);
      Object.assign(place, { failed: place.failed + 1, failures: place.failures + 1, error });
      this.#noteFailure(place, kind, isOnTrial, now);
      if (isRetried(attempt, this.#maxRetries) && !place.slices.has(slice)) {
        place.slices.add(slice);
        place.distinct += 1;
      }
    } else if (this.#failing.delete(name)) Object.assign(place, { ...unsuspected(), ...unfailed() });
    const concerned = hasFailed ? [...others, [name, place] as const] : others;
    return concerned.flatMap(([one, its]) => this.#judged(one, its, now) ?? []);
  }

  /** Counts a failed attempt. If chance does not explain the failures of a place on trial, its next pause begins. */
  #noteFailure(place: Place, kind: 'again' | 'first', isOnTrial: boolean, now: number): void {
    place[kind].failed += 1;
    place.inRow[kind] += 1;
    if (isOnTrial) {
      place.trial[kind] += 1;
      if (this.#isByChance(place, place.trial, trialChance)) return;
      Object.assign(place, { pauses: place.pauses + 1, trial: none(), rest: undefined });
    }
    place.failedAt = now;
  }

  resting(now: number): Resting[] {
    return this.#pauses(now).filter(({ until }) => until > now);
  }

  /** The places whose last pause is over. Each takes one slice at a time until an attempt succeeds. */
  onTrial(now: number): Resting[] {
    return this.#pauses(now).filter(({ until }) => until <= now);
  }

  #pauses(now: number): Resting[] {
    if (this.#failing.size === 0) return [];
    return [...this.#failing].flatMap(([name, place]) => this.#pauseOf(name, place, now) ?? []);
  }

  /** The last pause of a place; undefined if the place may take slices like any other. */
  #pauseOf(name: string, place: Place, now: number): Resting | undefined {
    const { failures, error, rest, failedAt, slices, distinct, blames, excuses, pauses } = place;
    // If only one place is left, it takes every slice.
    if (rest !== undefined) return this.#others(place).length === 0 ? undefined : rest;
    // Once other places have tried all of the slices that failed here, there is nothing more to wait for.
    const isKnown = distinct > 0 && slices.size === 0;
    if (isKnown || excuses > blames || !this.#isSuspect(place)) return undefined;
    const others = this.#others(place);
    const waiting = { place: name, failures, error, isToBlame: false };
    if (others.some(({ failed, tried }) => failed < tried)) return { ...waiting, until: failedAt + pauseAfter(pauses) };
    // Perhaps everything fails everywhere: the place waits, and there is no trial.
    const until = failedAt + (others.some(({ tried }) => tried > 0) ? firstPause : longWait);
    return until > now ? { ...waiting, until } : undefined;
  }

  #judged(name: string, place: Place, now: number): Resting | undefined {
    const { failures, distinct, blames, excuses, error, rest: before, pauses } = place;
    if (before !== undefined || !this.#isSuspect(place)) return undefined;
    const isToBlame = distinct > 0 && blames >= Math.min(enoughBlames, distinct) && blames >= blamesPerExcuse * excuses;
    if (!isToBlame) return undefined;
    const rest = { place: name, until: now + pauseAfter(pauses), failures, error, isToBlame };
    Object.assign(place, { ...unsuspected(), rest });
    return rest;
  }

  /** Whether a place has more failures in a row than chance explains. */
  #isSuspect(place: Place): boolean {
    return this.#maxRetries > 0 && place.failures >= enoughFailures && !this.#isByChance(place, place.inRow, chance);
  }

  /**
   * Whether the probability of these failures is above `limit` at the failure rates of the best other place. Retries
   * have a separate rate, since a slice that has failed may fail everywhere.
   */
  #isByChance(place: Place, { first, again }: Failures, limit: number): boolean {
    const chances = this.#others(place).map((one) => rateOf(one.first) ** first * rateOf(one.again) ** again);
    return Math.min(1, ...chances) > limit + Number.EPSILON;
  }

  /** The other places that are still present. */
  #others(place: Place): Place[] {
    return [...this.#places].flatMap(([name, one]) => (one !== place && this.#isPresent(name) ? [one] : []));
  }

  #place(name: string): Place {
    const place = this.#places.get(name) ?? newPlace();
    this.#places.set(name, place);
    return place;
  }
}

/** Number of failed first attempts at slices, and of failed attempts at slices that had failed before. */
type Failures = ReturnType<typeof none>;

const none = () => ({ first: 0, again: 0 });

const pauseAfter = (pauses: number) => Math.min(longestPause, firstPause * 2 ** pauses);

const rateOf = ({ tried, failed }: { tried: number; failed: number }) =>
  Math.min((failed + 1) / (tried + 2), failed === 0 ? unfailedRate : 1);

const unsuspected = () => ({
  /**
   * Of the slices that failed here in a row and may be retried: those that no other place has tried yet, and
   * the number of all.
   */
  slices: new Set<string>(),
  distinct: 0,
  /**
   * Of the slices that failed here: how many succeeded elsewhere, and how many failed at places with successes.
   */
  blames: 0,
  excuses: 0,
});

const unfailed = () => ({
  /** Failed attempts in a row, in total and by kind. */
  failures: 0,
  inRow: none(),
  /** Since the last success: how many pauses ended with a failed trial, and the current trial's failures. */
  pauses: 0,
  trial: none(),
  /** The last rest, unless a trial has ended it. */
  rest: undefined as Resting | undefined,
});

type Place = ReturnType<typeof newPlace>;

const newPlace = () => ({
  ...unsuspected(),
  ...unfailed(),
  /** Numbers of ended and of failed attempts at this place, in total and by kind. */
  tried: 0,
  failed: 0,
  first: { tried: 0, failed: 0 },
  again: { tried: 0, failed: 0 },
  /** The time of the last failure; during a trial, of the last failure before the trial. */
  failedAt: 0,
  error: '',
});

/**
 * Why a place takes no slices, or only one at a time, and for how long, in words for log lines.
 * @param now the current time by the clock that `until` uses
 * @param wallNow the same moment in milliseconds since 1970
 */
export function restWords({ place, until, failures, error, isToBlame }: Resting, now: number, wallNow: number) {
  const end = new Date(Math.ceil((wallNow + until - now) / 1000) * 1000).toISOString().replace('.000', '');
  const what = until <= now ? 'is on trial' : isToBlame ? `rests until ${end}` : 'waits';
  const others = isToBlame
    ? 'others completed the same slices'
    : 'it is not known yet whether others complete these slices';
  return `${place} ${what}: its last ${failures} attempts failed, and ${others}; the last error: ${error.slice(0, 200)}`;
}
