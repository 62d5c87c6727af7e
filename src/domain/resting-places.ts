/** Attempts in a row that must fail before a place waits for news of the others, and slices of these that others must then complete before it rests. */
const [enoughFailures, enoughBlames] = [3, 3];

/** A place rests if for each of its slices that fails elsewhere too there are this many that others complete. */
const blamesPerExcuse = 4;

/** The first rest of a place, and the longest: each is twice as long as the one before, until an attempt succeeds. Milliseconds. */
const [firstRest, longestRest] = [10_000, 300_000];

/** How long a failing place waits at most for news of the others, in milliseconds. */
const longestWait = 300_000;

interface Place {
  /** The slices in hand. */
  inHand: Set<string>;
  /** Whether an attempt ever succeeded here. */
  hasSucceeded: boolean;
  /** Attempts that failed in a row, their slices, and when the last one ended. */
  failures: number;
  slices: Set<string>;
  failedAt: number;
  error: string;
  /** How many of these slices others have completed, and how many have failed where something had succeeded. */
  blames: number;
  excuses: number;
  /** Rests since the last success, and the last one. */
  rests: number;
  rest: Resting | undefined;
}

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
export interface EndedAttempt {
  place: string;
  slice: string;
  /** Undefined if it succeeded. */
  error: string | undefined;
}

/**
 * Which places of an execution rest: slots of one process, or workers on a broker. A place whose attempts fail at once would take every slice and use up
 * the retries of all, beside places that do their work. So after three failures in a row a place waits, as long as others may show whether it is to blame:
 * they have work in hand, and what they did last did not fail. Once others complete what failed here, the place rests, longer each time; if the
 * slices fail elsewhere too, they are to blame, and it goes on. Where everything fails everywhere nobody waits for long. Times are milliseconds by any clock.
 */
export class RestingPlaces {
  readonly #places = new Map<string, Place>();
  /** The places with failures since their last success, or with rests. Nearly always there are none, and each result costs nothing. */
  readonly #failing = new Map<string, Place>();

  begun(name: string, slice: string): void {
    this.#place(name).inHand.add(slice);
  }

  /** Notes the end of an attempt. @returns the rests that begin with it */
  ended({ place: name, slice, error }: EndedAttempt, now: number): Resting[] {
    const place = this.#place(name);
    place.inHand.delete(slice);
    // A place where nothing has succeeded excuses nobody.
    if (error === undefined || place.hasSucceeded)
      for (const other of this.#failing.values())
        if (other !== place && other.slices.delete(slice)) other[error === undefined ? 'blames' : 'excuses'] += 1;
    if (error === undefined) {
      place.hasSucceeded = true;
      if (this.#failing.delete(name)) Object.assign(place, unblamed, { failures: 0, slices: new Set(), rests: 0 });
    } else {
      this.#failing.set(name, place);
      Object.assign(place, { failures: place.failures + 1, failedAt: now, error });
      place.slices.add(slice);
    }
    return [...this.#failing].flatMap(([one, failing]) => this.#rest(one, failing, now) ?? []);
  }

  /** The places that take no slices for now. */
  resting(now: number): Resting[] {
    return [...this.#failing].flatMap(([name, place]) => {
      const { failures, failedAt, error, rest } = place;
      if (rest !== undefined && rest.until > now) return [rest];
      if (failures < enoughFailures || !this.#isWaiting(place)) return [];
      const until = failedAt + longestWait;
      return until > now ? [{ place: name, until, failures, error, isToBlame: false }] : [];
    });
  }

  #rest(name: string, place: Place, now: number): Resting | undefined {
    const { failures, error, blames, excuses, rests } = place;
    const isResting = place.rest !== undefined && place.rest.until > now;
    if (isResting || failures < enoughFailures || blames < enoughBlames || blames < blamesPerExcuse * excuses)
      return undefined;
    const until = now + Math.min(longestRest, firstRest * 2 ** rests);
    const rest = { place: name, until, failures, error, isToBlame: true };
    // One more failure is enough to wait again.
    Object.assign(place, unblamed, { rest, rests: rests + 1, failures: enoughFailures - 1, slices: new Set() });
    return rest;
  }

  #isWaiting(place: Place): boolean {
    if (place.excuses > place.blames) return false;
    return [...this.#places.values()].some((other) => other !== place && other.inHand.size > 0 && other.failures === 0);
  }

  #place(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = {
      ...unblamed,
      inHand: new Set<string>(),
      hasSucceeded: false,
      failures: 0,
      slices: new Set<string>(),
      failedAt: 0,
      error: '',
      rests: 0,
      rest: undefined,
    };
    this.#places.set(name, place);
    return place;
  }
}

const unblamed = { blames: 0, excuses: 0 };

/** Why a place takes no slices, and for how long, as a log line has it. @param now by the same clock */
export function restWords({ place, until, failures, error, isToBlame }: Resting, now: number): string {
  const what = isToBlame ? `rests for ${Math.round((until - now) / 1000)} s` : 'waits';
  const others = isToBlame
    ? 'others completed the same slices'
    : 'whether others complete these slices is not known yet';
  return `${place} ${what}: its last ${failures} attempts failed, and ${others}; the last error: ${error.slice(0, 200)}`;
}
