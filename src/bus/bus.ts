import type { Clock } from '../clock.ts';
import type { MessageType } from './messages.ts';

/**
 * What a bus is to agents: news. The log after the cursor is the only delivery, with or without a broker; a bus says when
 * it is worth looking. Within one process that is all there is to it.
 *
 * Invariant: whoever looks at the log, finds nothing and calls `news` without an `await` between misses nothing.
 */
export interface Bus {
  /** Rows of these types have been committed. */
  announce(types: Iterable<MessageType>): void;
  /**
   * Resolves at the next announcement of one of `types` (of any, where it is left out) or when `signal` is aborted.
   * Who waits is not at work: see `Clock`.
   */
  news(signal: AbortSignal, types?: ReadonlySet<MessageType>): Promise<void>;
}

export function createInProcessBus(clock: Pick<Clock, 'enter' | 'leave'>): Bus {
  const waiting = new Set<{ types: ReadonlySet<MessageType> | undefined; wake: () => void }>();
  return {
    announce(types) {
      const said = [...types];
      for (const waiter of waiting) {
        if (waiter.types === undefined || said.some((type) => waiter.types?.has(type))) waiter.wake();
      }
    },
    news: (signal, types) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        const waiter = {
          types,
          wake: () => {
            waiting.delete(waiter);
            signal.removeEventListener('abort', waiter.wake);
            clock.enter();
            resolve();
          },
        };
        waiting.add(waiter);
        signal.addEventListener('abort', waiter.wake);
        clock.leave();
      }),
  };
}
