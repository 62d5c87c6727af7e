/** Limits how often something is done: at most `most` times in a span, and not before the time that `wait` gives. */
export class RateLimit {
  readonly #times: number[] = [];
  readonly #most: number;
  readonly #span: number;

  /** @param span milliseconds */
  constructor(most: number, span: number) {
    this.#most = most;
    this.#span = span;
  }

  /** Milliseconds until the next time is allowed. @param now milliseconds of any one clock */
  wait(now: number): number {
    const [oldest = -Infinity] = this.#times.slice(-this.#most);
    return this.#times.length < this.#most ? 0 : Math.max(0, oldest + this.#span - now);
  }

  note(now: number): void {
    this.#times.push(now);
    this.#times.splice(0, this.#times.length - this.#most);
  }
}
