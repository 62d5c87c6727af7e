/** A step of the wall clock that a process has noticed: it was set, or its machine slept. */
export interface ClockStep {
  /** The first time that was taken after it, in milliseconds since 1970. */
  at: number;
  /** In seconds; negative where it was set back. */
  seconds: number;
}

/** The platform's clocks, in milliseconds. */
export interface PlatformClocks {
  wall: () => number;
  /** Never set; it stands still while the machine sleeps. */
  monotonic: () => number;
}

/** Smaller steps are those by which a time service keeps a clock right, in milliseconds. */
const tolerated = 1000;

/**
 * The wall clock without its steps back: times of one process are in the order in which they were taken, and the time between two is never negative. Where
 * the wall clock is set back, it goes on as before. Where that is set forward, it follows, since others see the new time.
 */
export class SteadyClock {
  readonly #clocks: PlatformClocks;
  /** From monotonic time to the time that is told. */
  #offset: number;
  /** How far the wall clock was from the told time when last looked at. */
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
    this.#last = Math.max(this.#last, behind <= tolerated ? wall : steady);
    if (Math.abs(step) > tolerated) this.#steps.push({ at: this.#last, seconds: Math.round(step / 100) / 10 });
    return this.#last;
  }

  /** The steps since they were last taken. */
  takeSteps(): ClockStep[] {
    this.now();
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
