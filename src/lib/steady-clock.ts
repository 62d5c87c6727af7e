/** A step of the wall clock that a process has noticed: it was set, or its machine slept. */
export interface ClockStep {
  /** The first time read after it, in milliseconds since 1970. */
  at: number;
  /** In seconds; negative if it was set back. */
  seconds: number;
  /** Seconds by which the reported time went forward with it. */
  skipped: number;
}

/** The platform's clocks, in milliseconds. */
export interface PlatformClocks {
  wall: () => number;
  /** Never set; stops while the machine sleeps. */
  monotonic: () => number;
}

/** Smaller steps are a time service's corrections, in milliseconds. */
const tolerated = 1000;

/**
 * The wall clock without its steps back: times of one process are in the order in which they were read, and the time between two is never negative.
 * If the wall clock is set back, this one goes on as before. If it is set forward, this one follows, since others see the new time.
 */
export class SteadyClock {
  readonly #clocks: PlatformClocks;
  /** The difference from monotonic to reported time. */
  #offset: number;
  /** How far the wall clock was behind the reported time at the last reading. */
  #behind = 0;
  #last: number;
  #steps: ClockStep[] = [];

  constructor(clocks: PlatformClocks) {
    this.#clocks = clocks;
    this.#last = clocks.wall();
    this.#offset = this.#last - clocks.monotonic();
  }

  /** Milliseconds since 1970. */
  now(): number {
    const wall = this.#clocks.wall();
    const steady = this.#clocks.monotonic() + this.#offset;
    const behind = steady - wall;
    const step = this.#behind - behind;
    this.#behind = behind;
    if (behind <= tolerated) {
      this.#offset -= behind;
      this.#behind = 0;
    }
    const time = Math.max(this.#last, behind <= tolerated ? wall : steady);
    if (Math.abs(step) > tolerated)
      this.#steps.push({ at: time, seconds: tenths(step), skipped: tenths(Math.max(0, time - steady)) });
    this.#last = time;
    return time;
  }

  /** How far the reported time is ahead of a wall clock that was set back, in milliseconds; 0 for a time service's corrections. */
  ahead(): number {
    const ahead = this.now() - this.#clocks.wall();
    return ahead > tolerated ? ahead : 0;
  }

  /** From now on, reports no time before this one, in milliseconds since 1970: others have reported it. */
  catchUp(time: number): void {
    const missing = time - this.now();
    if (missing <= 0) return;
    this.#offset += missing;
    this.#behind += missing;
    this.#last = time;
  }

  /** The steps that are not forgotten yet. */
  steps(): readonly ClockStep[] {
    this.now();
    return this.#steps;
  }

  /** Forgets steps that are on record. */
  forget(steps: readonly ClockStep[]): void {
    this.#steps = this.#steps.filter((step) => !steps.includes(step));
  }
}

const tenths = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
