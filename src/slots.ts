import { createQueueWorker, type SliceBench } from './agents/queue-worker.ts';
import type { Message } from './bus/messages.ts';
import { selectorFor } from './intake.ts';
import type { Station } from './station.ts';

export interface SlotsOptions {
  name: string;
  slots: number;
  hostname: string;
  namespace: string;
  station: Station;
  benchOf: (slice: Message<'slice'>) => SliceBench;
  /** Aborted when no slice is to be taken any more. */
  signal: AbortSignal;
}

/**
 * Worker slots on the slice queue, each with a subscription of its own that holds one slice at a time. When `signal` is
 * aborted no more are taken; resolves when those in hand have ended.
 */
export async function runSlots({
  name,
  slots,
  hostname,
  namespace,
  station,
  benchOf,
  signal,
}: SlotsOptions): Promise<void> {
  const worker = createQueueWorker({ name, hostname, benchOf, sent: (id) => station.exchange.sent(id) });
  const ids = Array.from({ length: slots }, (_, index) => String(index + 1).padStart(2, '0'));
  const handling = new Set<Promise<void>>();
  await new Promise<void>((resolve, reject) => {
    for (const slot of ids) {
      station.stomp.subscribe({
        id: `slot-${slot}`,
        destination: station.destinations.slices,
        ack: 'client-individual',
        headers: { selector: selectorFor(namespace), 'activemq.prefetchSize': '1' },
        onMessage(delivery) {
          if (signal.aborted) return;
          const handled = worker
            .handle(delivery, slot)
            .catch(reject)
            .finally(() => handling.delete(handled));
          handling.add(handled);
        },
      });
    }
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) resolve();
  });
  for (const slot of ids) station.stomp.unsubscribe(`slot-${slot}`);
  await Promise.all(handling);
}
