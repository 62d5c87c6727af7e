import type { QueuedSliceWorker, SliceOfExecution } from '../agents/queued-slice-worker.ts';
import type { BrokerConnection, Delivery } from '../broker/connection.ts';
import { aborted } from '../lib/deadline.ts';

export interface SliceConsumersOptions {
  broker: BrokerConnection;
  namespace: string;
  /** The queue of slices. */
  destination: string;
  slots: number;
  worker: Pick<QueuedSliceWorker, 'handle'>;
  /** Records what stands on the queue and is no slice. */
  reject: (delivery: Delivery) => Promise<void>;
  /** Aborted when no slice is to be taken any more. */
  draining: AbortSignal;
}

/**
 * Takes slices from a broker's queue for the slots of a worker. Each slot has a subscription of its own that holds one slice at a time.
 * Resolves when the worker drains and the slices in hand have ended. Throws the errors of the worker.
 */
export function consumeSlices(options: SliceConsumersOptions): Promise<void> {
  return new SliceConsumers(options).run();
}

class SliceConsumers {
  readonly #options: SliceConsumersOptions;
  readonly #busy = new Map<number, Promise<void>>();
  readonly #failed = new AbortController();

  constructor(options: SliceConsumersOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { slots, draining, broker, destination, namespace } = this.#options;
    const numbers = Array.from({ length: slots }, (_, index) => index + 1);
    for (const slot of numbers)
      broker.subscribe({
        id: subscriptionOf(slot),
        destination,
        ack: 'each',
        namespace,
        prefetch: 1,
        onMessage: (delivery) => this.#take(slot, delivery),
      });
    await Promise.race([aborted(draining), aborted(this.#failed.signal)]);
    this.#failed.signal.throwIfAborted();
    // A free slot must not be given more. A busy one keeps its subscription until it has acknowledged: without it the broker would hand
    // the slice in hand to somebody else.
    await Promise.all(
      numbers.map(async (slot) => {
        await this.#busy.get(slot);
        broker.unsubscribe(subscriptionOf(slot));
      }),
    );
    this.#failed.signal.throwIfAborted();
  }

  #take(slot: number, delivery: Delivery): void {
    if (this.#options.draining.aborted) return;
    // After a reconnection a slot may be given a slice while it has one: it stays one at a time.
    const before = this.#busy.get(slot) ?? Promise.resolve();
    const handled: Promise<void> = before
      .then(() => this.#handle(slot, delivery))
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => {
        if (this.#busy.get(slot) === handled) this.#busy.delete(slot);
      });
    this.#busy.set(slot, handled);
  }

  async #handle(slot: number, delivery: Delivery): Promise<void> {
    const { worker, reject } = this.#options;
    const slice = sliceIn(delivery);
    const acknowledge = (): void => delivery.acknowledge();
    if (slice !== undefined) await worker.handle({ slice, acknowledge }, slot);
    else {
      await reject(delivery);
      acknowledge();
    }
  }
}

/** The slice of a delivery; undefined for any other message, and for a slice that names no execution. */
function sliceIn({ decoded }: Delivery): SliceOfExecution | undefined {
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice') return undefined;
  const { execution_id } = decoded.message;
  return execution_id === undefined ? undefined : { ...decoded.message, execution_id };
}

const subscriptionOf = (slot: number): string => `slot-${String(slot).padStart(2, '0')}`;
