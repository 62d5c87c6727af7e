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
 * The first rest of a place, and the longest: each is twice as long as the one before, until an attempt
 * succeeds. Milliseconds.
 */
const [firstRest, longestRest] = [10_000, 300_000];

/**
 * How long a suspect waits at most after each failure for what others do with its slices: where others have
 * ended attempts, and where none has yet. Milliseconds.
 */
const [shortWait, longWait] = [10_000, 120_000];

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
 * place with more failures in a row than chance explains waits a little for what others do with its slices.
 * If they complete them, it rests, longer each time. If the slices fail elsewhere too, they are to blame, and
 * it continues, as it does where everything fails everywhere. Times are milliseconds by any clock.
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
      if (isRetried && !place.slices.has(slice)) {
        place.slices.add(slice);
        place.distinct += 1;
      }
    } else if (this.#failing.delete(name))
      Object.assign(place, { ...unsuspected(), failures: 0, answered: 0, rests: 0, rest: undefined });
    const concerned = hasFailed ? [...others, [name, place] as const] : others;
    return concerned.flatMap(([one, its]) => this.#judged(one, its, now) ?? []);
  }

  /** The places that take no slices for now. */
  resting(now: number): Resting[] {
    if (this.#failing.size === 0) return [];
    const rates = this.#rates();
    return [...this.#failing].flatMap(([name, place]) => {
      const { failures, error, rest, failedAt, slices, distinct, blames, excuses } = place;
      if (rest !== undefined && rest.until > now) return [rest];
      // If others have tried all of its slices, there is nothing more to wait for.
      const isKnown = distinct > 0 && slices.size === 0;
      if (isKnown || excuses > blames || !this.#isSuspect(place, rates)) return [];
      const until = failedAt + (rates.some((one) => one.place !== place && one.place.tried > 0) ? shortWait : longWait);
      return until > now ? [{ place: name, until, failures, error, isToBlame: false }] : [];
    });
  }

  #judged(name: string, place: Place, now: number): Resting | undefined {
    const { failures, distinct, blames, excuses, error, rests, rest: before } = place;
    if ((before !== undefined && before.until > now) || !this.#isSuspect(place, this.#rates())) return undefined;
    const isToBlame = distinct > 0 && blames >= Math.min(enoughBlames, distinct) && blames >= blamesPerExcuse * excuses;
    if (!isToBlame) return undefined;
    const until = now + Math.min(longestRest, firstRest * 2 ** rests);
    const rest = { place: name, until, failures, error, isToBlame };
    Object.assign(place, { ...unsuspected(), rest, rests: rests + 1, answered: failures });
    return rest;
  }

  /**
   * Whether a place has more failures in a row than chance explains, by the other place that fails least, and
   * failures since its last rest.
   */
  #isSuspect(place: Place, rates: readonly Rate[]): boolean {
    if (!this.#mayRest || place.failures < enoughFailures || place.failures === place.answered) return false;
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
  /** Attempts that failed in a row, and how many of them a rest has answered already. */
  failures: 0,
  answered: 0,
  /** When the last attempt failed. */
  failedAt: 0,
  error: '',
  /** Rests since the last success, and the last one. */
  rests: 0,
  rest: undefined as Resting | undefined,
});

/** Why a place takes no slices, and for how long, as a log line has it. @param now by the same clock */
export function restWords({ place, until, failures, error, isToBlame }: Resting, now: number): string {
  const what = isToBlame ? `rests for ${Math.round((until - now) / 1000)} s` : 'waits';
  const others = isToBlame
    ? 'others completed the same slices'
    : 'it is not known yet whether others complete these slices';
  return `${place} ${what}: its last ${failures} attempts failed, and ${others}; the last error: ${error.slice(0, 200)}`;
}
