import type { BrokerConnection } from '../broker/connection.ts';
import { pause } from '../lib/deadline.ts';

/** A queue that gives nothing for so long has nothing, in milliseconds. */
const quietMilliseconds = 300;

/** The rest is taken for so long at most: slices that other workers give back later are acknowledged by those who get them. */
const longestMilliseconds = 3000;

export interface LeftoversOptions {
  broker: BrokerConnection;
  namespace: string;
  storeId: string;
  /** The queue of slices. */
  destination: string;
}

/**
 * Takes what is left of an execution that has ended from the queue of slices, so that no worker is handed it. Where a broker cannot choose by
 * headers, workers let go of it themselves: they hear that the execution has ended.
 */
export async function takeLeftovers(executionId: string, options: LeftoversOptions): Promise<void> {
  const { broker, namespace, storeId: store, destination } = options;
  if (!broker.isUp() || !broker.hasSelectors()) return;
  let last = performance.now();
  const until = last + longestMilliseconds;
  const id = `leftovers of ${executionId}`;
  broker.subscribe({
    id,
    destination,
    ack: 'each',
    prefetch: 256,
    only: () => ({ namespace, store: { is: store }, execution: executionId }),
    onMessage(delivery) {
      last = performance.now();
      delivery.acknowledge();
    },
  });
  while (performance.now() - last < quietMilliseconds && performance.now() < until) await pause(quietMilliseconds / 4);
  broker.unsubscribe(id);
}
