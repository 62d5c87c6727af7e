import type { DeliveredSlice, SliceWorker } from '../agents/slice-worker.ts';
import type { BrokerConnection, Delivery, Subscription } from '../broker/connection.ts';
import { aborted, pause } from '../lib/deadline.ts';

export interface SliceConsumersOptions {
  broker: BrokerConnection;
  namespace: string;
  /** The queue of slices. */
  destination: string;
  slots: number;
  worker: Pick<SliceWorker, 'handle'>;
  /** Takes care of what stands on the queue and is no slice. */
  reject: (delivery: Delivery) => Promise<void>;
  /** Slices that are left on the queue for now, by a header and its values: of paused executions, and of kinds that cannot be done. */
  unwanted: () => Readonly<Record<string, readonly string[]>>;
  /** Told of a slot that is taken or set free. */
  onChange: () => void;
  /** Aborted when no slice is to be taken any more. */
  draining: AbortSignal;
}

/** Where a broker cannot choose by headers, a slot keeps a slice of a paused execution so long before it goes back: not to spin. */
const restMilliseconds = 5000;

/**
 * Takes slices from a broker's queue for the slots of a worker. Each slot has a subscription of its own that holds one slice at a time.
 */
export class SliceConsumers {
  readonly #options: SliceConsumersOptions;
  readonly #busy = new Map<number, Promise<void>>();
  /** Slots whose subscription has still to learn what is unwanted. */
  readonly #stale = new Set<number>();
  readonly #failed = new AbortController();

  constructor(options: SliceConsumersOptions) {
    this.#options = options;
  }

  /** Those that work on slices; one that drains has fewer and fewer. */
  get slots(): number {
    return this.freeSlots + this.#busy.size;
  }

  get freeSlots(): number {
    return this.#options.draining.aborted ? 0 : this.#options.slots - this.#busy.size;
  }

  /** Resolves when the worker drains and the slices in hand have ended. Throws the errors of the worker. */
  async run(): Promise<void> {
    const { draining, broker } = this.#options;
    for (const slot of this.#slots()) broker.subscribe(this.#subscriptionOf(slot));
    await Promise.race([aborted(draining), aborted(this.#failed.signal)]);
    this.#failed.signal.throwIfAborted();
    // A free slot must not be given more. A busy one keeps its subscription until it has acknowledged: without it the broker would hand
    // the slice in hand to somebody else.
    await Promise.all(
      this.#slots().map(async (slot) => {
        await this.#busy.get(slot);
        broker.unsubscribe(nameOf(slot));
      }),
    );
    this.#failed.signal.throwIfAborted();
  }

  /** Other slices are unwanted than before. */
  refresh(): void {
    const { broker, draining } = this.#options;
    if (draining.aborted || !broker.isUp() || !broker.hasSelectors()) return;
    for (const slot of this.#slots())
      if (this.#busy.has(slot)) this.#stale.add(slot);
      else this.#subscribeAgain(slot);
  }

  #slots(): number[] {
    return Array.from({ length: this.#options.slots }, (_, index) => index + 1);
  }

  #subscriptionOf(slot: number): Subscription {
    const { destination, namespace, unwanted } = this.#options;
    return {
      id: nameOf(slot),
      destination,
      ack: 'each',
      only: () => ({ namespace, not: unwanted() }),
      prefetch: 1,
      onMessage: (delivery) => this.#take(slot, delivery),
    };
  }

  #subscribeAgain(slot: number): void {
    const { broker } = this.#options;
    this.#stale.delete(slot);
    broker.unsubscribe(nameOf(slot));
    broker.subscribe(this.#subscriptionOf(slot));
  }

  #take(slot: number, delivery: Delivery): void {
    if (this.#options.draining.aborted) return;
    // After a reconnection a slot may be given a slice while it has one: it stays one at a time.
    const before = this.#busy.get(slot) ?? Promise.resolve();
    const handled: Promise<void> = before
      .then(() => this.#handle(slot, delivery))
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => {
        if (this.#busy.get(slot) !== handled) return;
        this.#busy.delete(slot);
        if (this.#stale.has(slot) && !this.#options.draining.aborted) this.#subscribeAgain(slot);
        this.#options.onChange();
      });
    this.#busy.set(slot, handled);
  }

  async #handle(slot: number, delivery: Delivery): Promise<void> {
    const { worker, reject } = this.#options;
    const delivered = sliceIn(delivery);
    const acknowledge = (): void => delivery.acknowledge();
    if (delivered !== undefined)
      await worker.handle({ ...delivered, acknowledge, giveBack: () => this.#giveBack(delivery) }, slot);
    else {
      await reject(delivery);
      acknowledge();
    }
  }

  async #giveBack(delivery: Delivery): Promise<void> {
    const { broker, draining } = this.#options;
    if (!broker.hasSelectors()) {
      await pause(restMilliseconds, [draining, delivery.lost]);
    }
    delivery.giveBack();
  }
}

/** The slice of a delivery; undefined for any other message, and for a slice that names no execution. */
function sliceIn({ decoded, headers }: Delivery): DeliveredSlice | undefined {
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice') return undefined;
  const { execution_id } = decoded.message;
  if (execution_id === undefined) return undefined;
  return {
    slice: { ...decoded.message, execution_id },
    storeId: headers['store_id'],
    replyTo: headers['reply_to'],
    since: performance.now(),
  };
}

const nameOf = (slot: number): string => `slot-${String(slot).padStart(2, '0')}`;
