/**
 * A place is suspect after this many failures in a row, if chance explains them no better than this by how
 * often another place fails.
 */
const [enoughFailures, chance] = [3, 0.001];

/** How often a place fails at most that has failed nothing yet: it may be a good one. */
const unfailedRate = 0.1;

/**
 * A suspect rests once others have completed this many slices that failed there, or all of them, and for each
 * that fails elsewhere too this many more.
 */
const [enoughBlames, blamesPerExcuse] = [3, 4];

/**
 * The first pause of a place, a wait or a rest, and the longest, where another place has succeeded: each is
 * twice as long as the one before, until an attempt succeeds. Milliseconds.
 */
const [firstPause, longestPause] = [10_000, 300_000];

/** How long a suspect waits at most where no other place has ended an attempt yet. Milliseconds. */
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
   * @param isPresent whether a place is still there: nothing is awaited from one that is gone
   */
  constructor(maxRetries: number, isPresent: (place: string) => boolean = () => true) {
    this.#mayRest = maxRetries > 0;
    this.#isPresent = isPresent;
  }

  begun(name: string): void {
    this.#place(name);
  }

  /** Notes the end of an attempt. @returns the rests that begin with it */
  ended({ place: name, slice, error, isRetried }: EndedAttempt, now: number): Resting[] {
    const place = this.#place(name);
    const hasFailed = error !== undefined;
    const isOnTrial = hasFailed && this.onTrial(now).some((one) => one.place === name);
    // A place where nothing has succeeded excuses no other.
    const isWitness = !hasFailed || place.failed < place.tried;
    const others = isWitness
      ? [...this.#failing].filter(([, other]) => other !== place && other.slices.delete(slice))
      : [];
    for (const [, other] of others) other[hasFailed ? 'excuses' : 'blames'] += 1;
    place.tried += 1;
    if (hasFailed) {
      this.#failing.set(name, place);
      Object.assign(place, { failed: place.failed + 1, failures: place.failures + 1, failedAt: now, error });
      if (isOnTrial) Object.assign(place, { pauses: place.pauses + 1, rest: undefined });
      if (isRetried && !place.slices.has(slice)) {
        place.slices.add(slice);
        place.distinct += 1;
      }
    } else if (this.#failing.delete(name))
      Object.assign(place, { ...unsuspected(), failures: 0, pauses: 0, rest: undefined });
    const concerned = hasFailed ? [...others, [name, place] as const] : others;
    return concerned.flatMap(([one, its]) => this.#judged(one, its, now) ?? []);
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
    const rates = this.#rates();
    return [...this.#failing].flatMap(([name, place]) => this.#pauseOf(name, place, rates, now) ?? []);
  }

  /** The pause of a place that began last; undefined if it may take slices as any other. */
  #pauseOf(name: string, place: Place, rates: readonly Rate[], now: number): Resting | undefined {
    const { failures, error, rest, failedAt, slices, distinct, blames, excuses, pauses } = place;
    if (rest !== undefined) return rest;
    // If others have tried all of its slices, there is nothing more to wait for.
    const isKnown = distinct > 0 && slices.size === 0;
    if (isKnown || excuses > blames || !this.#isSuspect(place, rates)) return undefined;
    const others = rates.filter((one) => one.place !== place).map((one) => one.place);
    const waiting = { place: name, failures, error, isToBlame: false };
    if (others.some(({ failed, tried }) => failed < tried)) return { ...waiting, until: failedAt + pauseAfter(pauses) };
    // Perhaps everything fails everywhere: a wait, and no trial.
    const until = failedAt + (others.some(({ tried }) => tried > 0) ? firstPause : longWait);
    return until > now ? { ...waiting, until } : undefined;
  }

  #judged(name: string, place: Place, now: number): Resting | undefined {
    const { failures, distinct, blames, excuses, error, rest: before, pauses } = place;
    if (before !== undefined || !this.#isSuspect(place, this.#rates())) return undefined;
    const isToBlame = distinct > 0 && blames >= Math.min(enoughBlames, distinct) && blames >= blamesPerExcuse * excuses;
    if (!isToBlame) return undefined;
    const rest = { place: name, until: now + pauseAfter(pauses), failures, error, isToBlame };
    Object.assign(place, { ...unsuspected(), rest });
    return rest;
  }

  /** Whether a place has more failures in a row than chance explains, by the other place that fails least. */
  #isSuspect(place: Place, rates: readonly Rate[]): boolean {
    if (!this.#mayRest || place.failures < enoughFailures) return false;
    const best = rates.find((one) => one.place !== place);
    return best !== undefined && best.rate ** place.failures <= chance + Number.EPSILON;
  }

  /** How often the places fail that are still there, the best first. */
  #rates(): Rate[] {
    return [...this.#places]
      .flatMap(([name, place]) => (this.#isPresent(name) ? [{ place, rate: rateOf(place) }] : []))
      .toSorted((a, b) => a.rate - b.rate);
  }

  #place(name: string): Place {
    const place = this.#places.get(name) ?? newPlace();
    this.#places.set(name, place);
    return place;
  }
}

interface Rate {
  place: Place;
  rate: number;
}

const pauseAfter = (pauses: number) => Math.min(longestPause, firstPause * 2 ** pauses);

const rateOf = ({ tried, failed }: Place) => Math.min((failed + 1) / (tried + 2), failed === 0 ? unfailedRate : 1);

const unsuspected = () => ({
  /**
   * The slices of the failures in a row that may be tried again and have not been elsewhere, and how many
   * there were.
   */
  slices: new Set<string>(),
  distinct: 0,
  /** How many of these slices others have completed, and how many failed where something had succeeded. */
  blames: 0,
  excuses: 0,
});

type Place = ReturnType<typeof newPlace>;

const newPlace = () => ({
  ...unsuspected(),
  /** Attempts here that ended, and of these the failed ones. */
  tried: 0,
  failed: 0,
  /** Attempts that failed in a row. */
  failures: 0,
  /** When the last attempt failed. */
  failedAt: 0,
  error: '',
  /** Pauses since the last success that a failed trial ended, and the last rest if no trial has ended it. */
  pauses: 0,
  rest: undefined as Resting | undefined,
});

/** Why a place takes no slices or one at a time, and for how long, as a log line has it. @param now by the same clock */
export function restWords({ place, until, failures, error, isToBlame }: Resting, now: number): string {
  const what = until <= now ? 'is on trial' : isToBlame ? `rests for ${Math.round((until - now) / 1000)} s` : 'waits';
  const others = isToBlame
    ? 'others completed the same slices'
    : 'it is not known yet whether others complete these slices';
  return `${place} ${what}: its last ${failures} attempts failed, and ${others}; the last error: ${error.slice(0, 200)}`;
}
