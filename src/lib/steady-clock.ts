/** The platform's clocks, in milliseconds. */
export interface PlatformClocks {
  wall: () => number;
  /** Never set; stops while the machine sleeps. */
  monotonic: () => number;
}

/** Smaller steps back are a time service's corrections, in milliseconds. */
const tolerated = 1000;

/**
 * The wall clock without its steps back: times of one process are in the order in which they were read, and the time between two is never negative.
 * If the wall clock is set back, this one goes on as before. If it is set forward, this one follows, since others see the new time.
 */
export class SteadyClock {
  readonly #clocks: PlatformClocks;
  /** The difference from monotonic to reported time. */
  #offset: number;
  #last: number;

  constructor(clocks: PlatformClocks) {
    this.#clocks = clocks;
    this.#last = clocks.wall();
    this.#offset = this.#last - clocks.monotonic();
  }

  /** Milliseconds since 1970. */
  now(): number {
    const wall = this.#clocks.wall();
    const steady = this.#clocks.monotonic() + this.#offset;
    const isAhead = steady - wall > tolerated;
    if (!isAhead) this.#offset += wall - steady;
    this.#last = Math.max(this.#last, isAhead ? steady : wall);
    return this.#last;
  }

  /** From now on, reports no time before this one, in milliseconds since 1970: others have reported it. */
  catchUp(time: number): void {
    const missing = time - this.now();
    if (missing <= 0) return;
    this.#offset += missing;
    this.#last = time;
  }
}
