import type { Clock } from '../lib/clock.ts';
import type { MessageType } from './vocabulary.ts';

interface Waiter {
  types: ReadonlySet<MessageType> | undefined;
  wake: () => void;
}

export type Notifier = ReturnType<typeof createNotifier>;

/**
 * Wakes the parts of this process that wait for messages. It carries no messages: with or without a broker,
 * a consumer receives messages only by reading the log after its cursor, and the notifier only says when to
 * read again.
 *
 * Invariant: a consumer that takes a mark, reads the log and then waits for news since that mark misses
 * nothing. The same holds for a consumer that reads, finds nothing and waits, with no `await` in between.
 * @param clock needed only for virtual time, which waits until all parts are idle; over a broker, time is
 *   real or scaled
 */
export function createNotifier(clock?: Pick<Clock, 'enter' | 'leave'>) {
  const waiting = new Set<Waiter>();
  const announced = new Map<MessageType, number>();
  /** A number that changes at the next announcement of one of `types`. */
  const mark = (types: ReadonlySet<MessageType>) => {
    let sum = 0;
    for (const type of types) sum += announced.get(type) ?? 0;
    return sum;
  };
  return {
    mark,
    /** Call when rows of these types have been committed. */
    announce(types: Iterable<MessageType>) {
      const recorded = [...new Set(types)];
      for (const type of recorded) announced.set(type, (announced.get(type) ?? 0) + 1);
      for (const { types: wanted, wake } of waiting)
        if (wanted === undefined || recorded.some((type) => wanted.has(type))) wake();
    },
    /**
     * Resolves at the next announcement of one of `types` (of any type if `types` is left out) or when `signal`
     * is aborted; immediately if there has been such an announcement after the mark `since`. A part that is
     * waiting counts as idle: see `Clock`.
     */
    news: (signal: AbortSignal, types?: ReadonlySet<MessageType>, since?: number): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted || (since !== undefined && types !== undefined && mark(types) !== since)) {
          resolve();
          return;
        }
        const wake = () => {
          waiting.delete(waiter);
          signal.removeEventListener('abort', wake);
          clock?.enter();
          resolve();
        };
        const waiter: Waiter = { types, wake };
        waiting.add(waiter);
        signal.addEventListener('abort', wake);
        clock?.leave();
      }),
  };
}
