import type { Clock } from '../lib/clock.ts';
import type { MessageType } from './vocabulary.ts';

interface Waiter {
  types: ReadonlySet<MessageType> | undefined;
  wake: () => void;
}

/**
 * Wakes the parts of this process that wait for messages. It carries no messages: the log after a consumer's cursor is the only delivery, with or
 * without a broker, and the notifier says when to read on.
 *
 * Invariant: a consumer that takes a mark, reads the log and then waits for news since that mark misses nothing. The same holds for a consumer that
 * reads, finds nothing and waits without an `await` between.
 */
export class Notifier {
  readonly #clock: Pick<Clock, 'enter' | 'leave'>;
  readonly #waiting = new Set<Waiter>();
  readonly #announced = new Map<MessageType, number>();

  constructor(clock: Pick<Clock, 'enter' | 'leave'>) {
    this.#clock = clock;
  }

  /** A number that changes at the next announcement of one of `types`. */
  mark(types: ReadonlySet<MessageType>): number {
    let sum = 0;
    for (const type of types) sum += this.#announced.get(type) ?? 0;
    return sum;
  }

  /** Call when rows of these types have been committed. */
  announce(types: Iterable<MessageType>): void {
    const recorded = [...new Set(types)];
    for (const type of recorded) this.#announced.set(type, (this.#announced.get(type) ?? 0) + 1);
    for (const { types: wanted, wake } of this.#waiting)
      if (wanted === undefined || recorded.some((type) => wanted.has(type))) wake();
  }

  /**
   * Resolves at the next announcement of one of `types` (of any type, if left out) or when `signal` is aborted; at once if there has been one since
   * the mark. A waiting part is not at work: see `Clock`.
   */
  news(signal: AbortSignal, types?: ReadonlySet<MessageType>, since?: number): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || (since !== undefined && types !== undefined && this.mark(types) !== since)) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', wake);
        this.#clock.enter();
        resolve();
      };
      const waiter: Waiter = { types, wake };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', wake);
      this.#clock.leave();
    });
  }
}
