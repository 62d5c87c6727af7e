import { createFairQueue } from './fair-queue.ts';

/** Waits for the turn of a client. */
export type Turn = (client: string) => Promise<void>;

/**
 * Starts one call in each turn of the event loop, and serves clients in turn, so that a batch of calls delays only its sender: between two
 * of its calls, others are heard and served.
 */
export function createTurns(): Turn {
  const queue = createFairQueue<() => void>();
  let isUnderWay = false;
  const next = (): void => {
    const turn = queue.take();
    isUnderWay = turn !== undefined;
    if (turn === undefined) return;
    turn.thing();
    setImmediate(next);
  };
  return (client) =>
    new Promise((resolve) => {
      queue.put(client, resolve);
      if (isUnderWay) return;
      isUnderWay = true;
      setImmediate(next);
    });
}
