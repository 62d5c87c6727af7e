import { setMaxListeners } from 'node:events';

/**
 * The life of a piece of work, such as a process, an execution or an agent. A lifetime only moves forward: from
 * working, perhaps through draining, to stopped. A fault stops it immediately and is kept for its owner.
 */
export class Lifetime {
  readonly #draining = new AbortController();
  readonly #stopped = new AbortController();
  /** Aborted when nothing new may begin: finish the work in hand, then end. */
  readonly draining = this.#draining.signal;
  /** Aborted when everything ends, finished or not. */
  readonly stopped = this.#stopped.signal;
  #fault: { error: unknown } | undefined;

  constructor() {
    // Each waiting task and consumer adds a listener, which Node would report as a leak.
    setMaxListeners(0, this.draining, this.stopped);
  }

  get fault(): { error: unknown } | undefined {
    return this.#fault;
  }

  drain(): void {
    this.#draining.abort();
  }

  stop(): void {
    this.#draining.abort();
    this.#stopped.abort();
  }

  /** Stops with an error. Only the first error counts: later ones usually follow from it. */
  fail(error: unknown): void {
    this.#fault ??= { error };
    this.stop();
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /**
   * Returns a lifetime within this one: when this one stops or fails, so does the child, which may also end
   * earlier.
   */
  child(): Lifetime {
    const child = new Lifetime();
    const end = () => (this.#fault === undefined ? child.stop() : child.fail(this.#fault.error));
    if (this.stopped.aborted) end();
    else this.stopped.addEventListener('abort', end, { once: true, signal: child.stopped });
    return child;
  }
}
