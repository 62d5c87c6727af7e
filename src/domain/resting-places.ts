/**
 * A place is suspect after this many failures in a row, if they are less probable than this at the failure
 * rate of another place.
 */
const [enoughFailures, chance] = [3, 0.001];

/** A trial has failed once its failures are less probable than this: if others rarely fail, at the first. */
const trialChance = 0.1;

/** The highest failure rate assumed for a place that has not failed yet: it may be a good one. */
const unfailedRate = 0.1;

/**
 * A suspect rests once others have completed this many slices that failed there, or all of them, and this
 * many more for each that fails elsewhere too.
 */
const [enoughBlames, blamesPerExcuse] = [3, 4];

/**
 * The first and the longest pause (a wait or a rest) of a place if another place has succeeded: each is twice
 * as long as the previous one, until an attempt succeeds. Milliseconds.
 */
const [firstPause, longestPause] = [10_000, 300_000];

/** How long a suspect waits at most if no other place has ended an attempt yet. Milliseconds. */
const longWait = 120_000;

/** A place that takes no slices for now. */
export interface Resting {
  place: string;
  /** Until when, by the clock of the caller; it may end earlier. */
  until: number;
  /** Attempts that failed there in a row. */
  failures: number;
  /** The last error there. */
  error: string;
  /** Whether others have completed what failed there; otherwise that is awaited. */
  isToBlame: boolean;
}

/** An attempt that has ended. */
interface EndedAttempt {
  place: string;
  slice: string;
  /** Undefined if it succeeded. */
  error: string | undefined;
  /** Whether the slice had failed before. */
  isAgain?: boolean;
  /** Whether a failed slice will be tried again. */
  isRetried: boolean;
}

/**
 * Which places of an execution rest: slots of one process, or workers on a broker. A place whose attempts
 * fail at once would take every slice and use up the retries of all, beside places that do their work. So a
 * place with more failures in a row than chance explains waits for what others do with its slices. If they
 * complete them, it rests. After each pause it is on trial: it takes one slice at a time until one succeeds,
 * and each failure begins a longer pause. If the slices fail elsewhere too, they are to blame, and it
 * continues, as it does where everything fails everywhere. Times are milliseconds by any clock.
 */
export class RestingPlaces {
  readonly #places = new Map<string, Place>();
  /**
   * The places with failures since their last success. Nearly always there are none, and each result costs
   * nothing.
   */
  readonly #failing = new Map<string, Place>();
  readonly #mayRest: boolean;
  readonly #isPresent: (place: string) => boolean;

  /**
   * @param maxRetries without retries no other worker tries what failed, so none is ever to blame
   * @param isPresent whether a place is still there: one that is gone is not waited for
   */
  constructor(maxRetries: number, isPresent: (place: string) => boolean = () => true) {
    this.#mayRest = maxRetries > 0;
    this.#isPresent = isPresent;
  }

  begun(name: string): void {
    this.#place(name);
  }

  /** Records the end of an attempt. @returns the rests that begin with it */
  ended({ place: name, slice, error, isAgain = false, isRetried }: EndedAttempt, now: number): Resting[] {
    const place = this.#place(name);
    const hasFailed = error !== undefined;
    const isOnTrial = hasFailed && this.onTrial(now).some((one) => one.place === name);
    // A place where nothing has succeeded excuses no other.
    const isWitness = !hasFailed || place.failed < place.tried;
    const others = isWitness
      ? [...this.#failing].filter(([, other]) => other !== place && other.slices.delete(slice))
      : [];
    for (const [, other] of others) other[hasFailed ? 'excuses' : 'blames'] += 1;
    const kind = isAgain ? 'again' : 'first';
    place.tried += 1;
    place[kind].tried += 1;
    if (hasFailed) {
      this.#failing.set(name, place);
      Object.assign(place, { failed: place.failed + 1, failures: place.failures + 1, error });
      this.#noteFailure(place, kind, isOnTrial, now);
      if (isRetried && !place.slices.has(slice)) {
        place.slices.add(slice);
        place.distinct += 1;
      }
    } else if (this.#failing.delete(name)) Object.assign(place, { ...unsuspected(), ...unfailed() });
    const concerned = hasFailed ? [...others, [name, place] as const] : others;
    return concerned.flatMap(([one, its]) => this.#judged(one, its, now) ?? []);
  }

  /** Counts a failed attempt; one on trial that chance does not explain begins the next pause. */
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

  /** The places that take no slices for now. */
  resting(now: number): Resting[] {
    return this.#pauses(now).filter(({ until }) => until > now);
  }

  /** The places whose last pause is over, which take one slice at a time until one succeeds. */
  onTrial(now: number): Resting[] {
    return this.#pauses(now).filter(({ until }) => until <= now);
  }

  #pauses(now: number): Resting[] {
    if (this.#failing.size === 0) return [];
    return [...this.#failing].flatMap(([name, place]) => this.#pauseOf(name, place, now) ?? []);
  }

  /** The latest pause of a place; undefined if it may take slices like any other. */
  #pauseOf(name: string, place: Place, now: number): Resting | undefined {
    const { failures, error, rest, failedAt, slices, distinct, blames, excuses, pauses } = place;
    // A place that is the only one left takes what there is.
    if (rest !== undefined) return this.#others(place).length === 0 ? undefined : rest;
    // If others have tried all of its slices, there is nothing more to wait for.
    const isKnown = distinct > 0 && slices.size === 0;
    if (isKnown || excuses > blames || !this.#isSuspect(place)) return undefined;
    const others = this.#others(place);
    const waiting = { place: name, failures, error, isToBlame: false };
    if (others.some(({ failed, tried }) => failed < tried)) return { ...waiting, until: failedAt + pauseAfter(pauses) };
    // Perhaps everything fails everywhere: a wait, and no trial.
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
    return this.#mayRest && place.failures >= enoughFailures && !this.#isByChance(place, place.inRow, chance);
  }

  /**
   * Whether failures are more probable than `limit` at the failure rate of the best other place: what has
   * failed before may fail everywhere.
   */
  #isByChance(place: Place, { first, again }: Failures, limit: number): boolean {
    const chances = this.#others(place).map((one) => rateOf(one.first) ** first * rateOf(one.again) ** again);
    return Math.min(1, ...chances) > limit + Number.EPSILON;
  }

  /** The other places that are still there. */
  #others(place: Place): Place[] {
    return [...this.#places].flatMap(([name, one]) => (one !== place && this.#isPresent(name) ? [one] : []));
  }

  #place(name: string): Place {
    const place = this.#places.get(name) ?? newPlace();
    this.#places.set(name, place);
    return place;
  }
}

/** How many first attempts at slices failed, and attempts at slices that had failed before. */
type Failures = ReturnType<typeof none>;

const none = () => ({ first: 0, again: 0 });

const pauseAfter = (pauses: number) => Math.min(longestPause, firstPause * 2 ** pauses);

const rateOf = ({ tried, failed }: { tried: number; failed: number }) =>
  Math.min((failed + 1) / (tried + 2), failed === 0 ? unfailedRate : 1);

const unsuspected = () => ({
  /**
   * The slices of the failures in a row that may be retried and have not been tried elsewhere, and how many
   * there were.
   */
  slices: new Set<string>(),
  distinct: 0,
  /** How many of these slices others have completed, and how many failed where something had succeeded. */
  blames: 0,
  excuses: 0,
});

const unfailed = () => ({
  /** Attempts that failed in a row, all and by kind. */
  failures: 0,
  inRow: none(),
  /** Pauses since the last success that a failed trial ended, and the failures of the present trial. */
  pauses: 0,
  trial: none(),
  /** The last rest if no trial has ended it. */
  rest: undefined as Resting | undefined,
});

type Place = ReturnType<typeof newPlace>;

const newPlace = () => ({
  ...unsuspected(),
  ...unfailed(),
  /** Attempts here that ended, and of these the failed ones: all and by kind. */
  tried: 0,
  failed: 0,
  first: { tried: 0, failed: 0 },
  again: { tried: 0, failed: 0 },
  /** When the last attempt failed; during a trial, the last before it. */
  failedAt: 0,
  error: '',
});

/**
 * Why a place takes no slices or one at a time, and until when, as a log line has it.
 * @param now by the same clock
 * @param wallNow the same moment in milliseconds since 1970
 */
export function restWords({ place, until, failures, error, isToBlame }: Resting, now: number, wallNow: number): string {
  const end = new Date(Math.ceil((wallNow + until - now) / 1000) * 1000).toISOString().replace('.000', '');
  const what = until <= now ? 'is on trial' : isToBlame ? `rests until ${end}` : 'waits';
  const others = isToBlame
    ? 'others completed the same slices'
    : 'it is not known yet whether others complete these slices';
  return `${place} ${what}: its last ${failures} attempts failed, and ${others}; the last error: ${error.slice(0, 200)}`;
}
