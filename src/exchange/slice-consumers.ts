import { createQueueWorker, type SliceBench } from '../agents/queued-slice-worker.ts';
import type { Delivery } from '../broker/connection.ts';
import type { Message } from '../messages/vocabulary.ts';
import { selectorFor } from './inbox.ts';
import type { Station } from './session.ts';

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
  const { exchange, stomp, destinations } = station;
  const reject = (handout: Delivery): Promise<void> => exchange.record(destinations.slices, handout);
  const worker = createQueueWorker<Delivery>({
    name,
    hostname,
    benchOf,
    stopping: signal,
    reject,
    sent: (id) => exchange.sent(id),
  });
  const busy = new Map<string, Promise<void>>();
  await new Promise<void>((resolve, refuse) => {
    for (let index = 1; index <= slots; index += 1) {
      const slot = String(index).padStart(2, '0');
      stomp.subscribe({
        id: idOf(slot),
        destination: destinations.slices,
        ack: 'client-individual',
        headers: { selector: selectorFor(namespace), 'activemq.prefetchSize': '1' },
        onMessage(delivery) {
          if (signal.aborted) return;
          // After a reconnection a slot may be given a slice while it has one: it stays one at a time.
          const before = busy.get(slot) ?? Promise.resolve();
          const handled: Promise<void> = before
            .then(() => worker.handle(delivery, slot))
            .catch(refuse)
            .finally(() => {
              if (busy.get(slot) === handled) busy.delete(slot);
            });
          busy.set(slot, handled);
        },
      });
    }
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) resolve();
  });
  // A free slot must not be given more. A busy one keeps its subscription until it has acknowledged: without it the broker
  // would hand the slice in hand to somebody else.
  const leave = async (slot: string): Promise<void> => {
    await busy.get(slot);
    stomp.unsubscribe(idOf(slot));
  };
  await Promise.all(Array.from({ length: slots }, (_, index) => leave(String(index + 1).padStart(2, '0'))));
}

const idOf = (slot: string): string => `slot-${slot}`;
