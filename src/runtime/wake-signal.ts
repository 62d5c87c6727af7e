/** A signal that can be rung again and again. Once `ended` is aborted, it stays aborted. */
export class WakeSignal {
  readonly #ended: AbortSignal;
  #current = new AbortController();

  constructor(ended: AbortSignal) {
    this.#ended = ended;
    ended.addEventListener('abort', () => this.#current.abort());
  }

  /** Aborted at the next ring. */
  get signal(): AbortSignal {
    return this.#current.signal;
  }

  ring(): void {
    const before = this.#current;
    if (!this.#ended.aborted) this.#current = new AbortController();
    before.abort();
  }
}
