import { createFairQueue } from './fair-queue.ts';

/** Waits for the turn of a client. */
export type Turn = (client: string) => Promise<void>;

/**
 * Lets one call begin in each turn of the event loop, and clients one after another, so that a batch of calls holds up nobody but the one
 * who sent it: between two of its calls, others are heard and served.
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
