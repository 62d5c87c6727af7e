import { setMaxListeners } from 'node:events';

/**
 * The life of one piece of work, such as a process, an execution or an agent. It goes one way: it works, it may drain, it is
 * stopped. A fault stops it at once and is kept for its owner.
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
    // Every sleeper and every waiting consumer listens to them.
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

  /** Stops with an error. Only the first one counts: others mostly follow from it. */
  fail(error: unknown): void {
    this.#fault ??= { error };
    this.stop();
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** A lifetime within this one: a stop or fault of this one stops or fails the child, which may end earlier by itself. */
  child(): Lifetime {
    const child = new Lifetime();
    const end = (): void => (this.#fault === undefined ? child.stop() : child.fail(this.#fault.error));
    if (this.stopped.aborted) end();
    else this.stopped.addEventListener('abort', end, { once: true, signal: child.stopped });
    return child;
  }
}
