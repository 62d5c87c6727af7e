import { pause } from '../lib/deadline.ts';
import type { Surroundings } from './surroundings.ts';

/** A queue that gives nothing for this long is empty, in milliseconds. */
const quietMilliseconds = 300;

/** The longest time to take leftovers: slices that workers return later are acknowledged by the workers that get them. */
const longestMilliseconds = 3000;

/**
 * Takes the leftover slices of an ended execution from the queue, so that no worker gets them. On a broker without selectors, workers drop them
 * themselves: they hear that the execution has ended.
 */
export async function takeLeftovers(
  executionId: string,
  { broker, namespace, storeId, destinations }: Pick<Surroundings, 'broker' | 'namespace' | 'storeId' | 'destinations'>,
): Promise<void> {
  if (!broker.isUp() || !broker.hasSelectors()) return;
  let last = performance.now();
  const until = last + longestMilliseconds;
  const id = `leftovers of ${executionId}`;
  broker.subscribe({
    id,
    destination: destinations.slices,
    ack: 'each',
    prefetch: 256,
    only: () => ({ namespace, store: { is: storeId }, execution: executionId }),
    onMessage(delivery) {
      last = performance.now();
      delivery.acknowledge();
    },
  });
  while (performance.now() - last < quietMilliseconds && performance.now() < until) await pause(quietMilliseconds / 4);
  broker.unsubscribe(id);
}
