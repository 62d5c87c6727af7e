import { pause } from '../lib/deadline.ts';
import type { Surroundings } from './surroundings.ts';

/** A queue that gives nothing for this long is empty, in milliseconds. */
const quietMilliseconds = 300;

/** The longest time to take leftovers: slices that workers return later are acknowledged by the workers that get them. */
const longestMilliseconds = 3000;

/** Takes an ended execution's slices from the queue, so that no worker gets them. Without selectors workers drop them, as they hear of the end. */
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
