import type { Clock } from '../lib/clock.ts';
import type { MessageType } from './vocabulary.ts';

/**
 * What a bus is to agents: news. The log after the cursor is the only delivery, with or without a broker; a bus says when
 * it is worth looking. Within one process that is all there is to it.
 *
 * Invariant: whoever takes a mark, looks at the log and then waits for news since that mark misses nothing. Neither does who
 * looks, finds nothing and waits without an `await` between.
 */
export interface Bus {
  /** Rows of these types have been committed. */
  announce(types: Iterable<MessageType>): void;
  /**
   * Resolves at the next announcement of one of `types` (of any, where it is left out) or when `signal` is aborted; at once
   * where there has been one since the mark.
   * Who waits is not at work: see `Clock`.
   */
  news(signal: AbortSignal, types?: ReadonlySet<MessageType>, since?: number): Promise<void>;
  /** Tells a moment from a later one in which something of `types` has been announced. */
  mark(types: ReadonlySet<MessageType>): number;
}

export function createInProcessBus(clock: Pick<Clock, 'enter' | 'leave'>): Bus {
  const waiting = new Set<{ types: ReadonlySet<MessageType> | undefined; wake: () => void }>();
  const announced = new Map<MessageType, number>();
  const mark = (types: ReadonlySet<MessageType>): number => {
    let sum = 0;
    for (const type of types) sum += announced.get(type) ?? 0;
    return sum;
  };
  return {
    mark,
    announce(types) {
      const said = new Set(types);
      for (const type of said) announced.set(type, (announced.get(type) ?? 0) + 1);
      for (const waiter of waiting) {
        if (waiter.types === undefined || shares(waiter.types, said)) waiter.wake();
      }
    },
    news: (signal, types, since) =>
      new Promise((resolve) => {
        if (signal.aborted || (since !== undefined && types !== undefined && mark(types) !== since)) {
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

function shares(some: ReadonlySet<MessageType>, others: ReadonlySet<MessageType>): boolean {
  for (const type of others) if (some.has(type)) return true;
  return false;
}
