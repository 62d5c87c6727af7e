import type { DeliveredSlice } from '../agents/ports.ts';
import type { SliceWorker } from '../agents/slice-worker.ts';
import type { BrokerConnection, Delivery, Subscription } from '../broker/connection.ts';
import { aborted, pause } from '../lib/deadline.ts';
import type { Taking } from './execution-views.ts';
import { decodedOf } from './wire.ts';

export interface SliceConsumersOptions {
  broker: BrokerConnection;
  /** Creates a connection for this queue alone, if the broker has no selectors. */
  connectApart: () => BrokerConnection;
  namespace: string;
  destination: string;
  slots: number;
  worker: Pick<SliceWorker, 'handle'>;
  /** Handles any message on the queue other than a slice. */
  reject: (delivery: Delivery) => Promise<void>;
  /** The slices to leave on the queue for now, by header and values: paused, or unfit for this worker. */
  unwanted: (slot: number) => Readonly<Record<string, readonly string[]>>;
  /** The slots that may currently take slices. */
  taking?: () => Taking;
  /** Called when a slot is taken or freed. */
  onChange: () => void;
  /** Aborted when no more slices are to be taken. */
  draining: AbortSignal;
}

/** Without selectors, a slot keeps a paused execution's slice this long before returning it, to avoid a busy loop. */
const restMilliseconds = 5000;
/** How long, in milliseconds, a worker that has left the queue to others waits before it checks again. */
const awayMilliseconds = 30_000;

/**
 * Takes slices from a broker's queue for a worker's slots. Each slot has its own subscription, which holds one slice
 * at a time.
 *
 * A broker without selectors cannot withhold slices that a worker cannot process. When as many such slices have
 * arrived in a row as the worker has slots, the worker leaves the queue to others. Then one slot checks every
 * 30 s whether it can process the next slice. RabbitMQ keeps an ended subscription's unacknowledged messages,
 * so leaving closes a connection used only for this queue.
 */
export class SliceConsumers {
  readonly #options: SliceConsumersOptions;
  readonly #busy = new Map<number, Promise<void>>();
  /** Slots whose subscription does not yet exclude the unwanted slices. */
  readonly #stale = new Set<number>();
  readonly #failed = new AbortController();
  /** The connection that the slots subscribe on. */
  #queue: BrokerConnection;
  /** Slots with a subscription on `#queue`. A new subscription would lose the messages in flight to the old one. */
  readonly #subscribed = new Set<number>();
  #unfitInARow = 0;
  /** The slots that should take slices and, on a broker without selectors, those that do. */
  #wanted: Taking = 'all';
  #taking: Taking = 'all';
  /** Whether the trial with one slot is due but must wait until the worker has left the queue. */
  #isTrialDue = false;
  #back: NodeJS.Timeout | undefined;

  constructor(options: SliceConsumersOptions) {
    this.#options = options;
    this.#queue = options.broker;
    // A rest may have begun or ended while the broker was unreachable.
    options.broker.onUp(() => {
      if (!options.draining.aborted && !options.broker.hasSelectors()) this.#restOrReturn();
    });
  }

  /** Number of slots that work on slices; while draining, only the busy slots. */
  get slots() {
    return this.#options.draining.aborted ? this.#busy.size : this.#options.slots;
  }

  /** Number of slots that would take a slice now. */
  get freeSlots() {
    if (this.#options.draining.aborted || this.#taking === 'none') return 0;
    return this.#taking === 'all' ? this.#options.slots - this.#busy.size : Math.max(0, 1 - this.#busy.size);
  }

  /** Whether a slot has no slice in hand. */
  isFree = (slot: number) => !this.#busy.has(slot);

  /** Resolves when the worker drains and the slices in hand have ended. Throws the worker's errors. */
  async run() {
    const { draining } = this.#options;
    this.#attend('all');
    await Promise.race([aborted(draining), aborted(this.#failed.signal)]);
    clearTimeout(this.#back);
    this.#failed.signal.throwIfAborted();
    // A busy slot unsubscribes only after acknowledging its slice; otherwise another worker would get it.
    const end = (slot: number) => this.#queue.unsubscribe(nameOf(slot));
    await Promise.all(this.#slots().map((slot) => (this.#busy.get(slot) ?? Promise.resolve()).then(() => end(slot))));
    await this.#closeApart();
    this.#failed.signal.throwIfAborted();
  }

  /** Call this when the set of unwanted slices has changed. */
  refresh() {
    const { broker, draining } = this.#options;
    if (draining.aborted || !broker.isUp()) return;
    if (!broker.hasSelectors()) return this.#restOrReturn();
    for (const slot of this.#slots())
      if (!this.isFree(slot)) this.#stale.add(slot);
      else this.#subscribeAgain(slot);
  }

  /** On a broker without selectors, leaves the queue for a rest, and returns with one slot for a trial. */
  #restOrReturn() {
    const wanted = this.#options.taking?.() ?? 'all';
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    clearTimeout(this.#back);
    // If only the subscription ended, a slice in flight to it would stay with the connection.
    this.#isTrialDue = wanted === 'one' && this.#subscribed.size > 1;
    if (wanted !== 'none' && !this.#isTrialDue) return this.#attend(wanted);
    this.#taking = 'none';
    if (this.#busy.size === 0) void this.#closeApart();
    this.#options.onChange();
  }

  /** Records that this worker can process the current slice. */
  noteFit() {
    this.#unfitInARow = 0;
  }

  /** Records that this worker cannot process the current slice. @param othersCan whether another worker can */
  noteUnfit(othersCan: boolean) {
    this.#unfitInARow += 1;
    if (othersCan && (this.#taking === 'one' || this.#unfitInARow >= this.#options.slots)) this.#leave();
  }

  #leave() {
    const { broker, draining, onChange } = this.#options;
    if (draining.aborted || broker.hasSelectors() || this.#taking === 'none') return;
    this.#taking = 'none';
    // While slices are in hand, all slots stay subscribed: a trial begins only after the queue has been left.
    this.#back = setTimeout(() => {
      if (this.#queue === broker) this.#attend('one');
      else this.#isTrialDue = true;
    }, awayMilliseconds);
    if (this.#busy.size === 0) void this.#closeApart();
    onChange();
  }

  #attend(taking: 'all' | 'one') {
    const { broker, connectApart, draining, onChange } = this.#options;
    if (draining.aborted || this.#failed.signal.aborted) return;
    // Slices that were begun earlier may still be in hand, so their connection is kept.
    if (!broker.hasSelectors() && this.#queue === broker) {
      this.#queue = connectApart();
      void this.#queue.connect({ once: false });
    }
    this.#isTrialDue = false;
    this.#taking = taking;
    for (const slot of taking === 'one' ? [1] : this.#slots())
      if (!this.#subscribed.has(slot)) {
        this.#subscribed.add(slot);
        this.#queue.subscribe(this.#subscriptionOf(slot));
      }
    onChange();
  }

  /** Closes the separate connection; the broker then returns unacknowledged slices to the queue immediately. */
  async #closeApart() {
    const { broker } = this.#options;
    const apart = this.#queue;
    if (apart === broker) return;
    this.#queue = broker;
    this.#subscribed.clear();
    if (this.#isTrialDue) this.#attend('one');
    await apart.close();
  }

  #slots = () => Array.from({ length: this.#options.slots }, (_, index) => index + 1);

  #subscriptionOf(slot: number): Subscription {
    const { destination, namespace, unwanted } = this.#options;
    const queue = this.#queue;
    return {
      id: nameOf(slot),
      destination,
      ack: 'each',
      only: () => ({ namespace, store: 'named', not: unwanted(slot) }),
      prefetch: 1,
      onMessage: (delivery) => this.#take(slot, delivery, queue),
    };
  }

  #subscribeAgain(slot: number) {
    this.#stale.delete(slot);
    this.#queue.unsubscribe(nameOf(slot));
    this.#queue.subscribe(this.#subscriptionOf(slot));
  }

  #take(slot: number, delivery: Delivery, queue: BrokerConnection) {
    // A slice that still arrives on a connection that is being closed goes back to the queue.
    if (this.#options.draining.aborted || queue !== this.#queue) return;
    // Another slot is still working, so the connection is still open.
    if (this.#taking === 'none') return void this.#giveBack(delivery);
    // After a reconnect, a slot may receive a slice while it still has one; slices are still handled one at a time.
    const before = this.#busy.get(slot) ?? Promise.resolve();
    const handled = before
      .then(() => this.#handle(slot, delivery))
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#ended(slot, handled));
    this.#busy.set(slot, handled);
  }

  #ended(slot: number, handled: Promise<void>) {
    if (this.#busy.get(slot) !== handled) return;
    this.#busy.delete(slot);
    if (this.#taking === 'none' && this.#busy.size === 0) void this.#closeApart();
    // The trial slice could be processed, so the trial is over, unless the recorder requested it: such a trial lasts
    // until the recorder ends it.
    else if (this.#taking === 'one' && this.#wanted === 'all') this.#attend('all');
    else if (this.#stale.has(slot) && !this.#options.draining.aborted) this.#subscribeAgain(slot);
    this.#options.onChange();
  }

  async #handle(slot: number, delivery: Delivery) {
    const { worker, reject } = this.#options;
    const delivered = sliceIn(delivery);
    const acknowledge = () => delivery.acknowledge();
    if (delivered !== undefined)
      await worker.handle({ ...delivered, acknowledge, giveBack: () => this.#giveBack(delivery) }, slot);
    else {
      await reject(delivery);
      acknowledge();
    }
  }

  async #giveBack(delivery: Delivery) {
    const { broker, draining } = this.#options;
    if (!broker.hasSelectors()) await pause(restMilliseconds, [draining, delivery.lost]);
    delivery.giveBack();
  }
}

/** The slice of a delivery; undefined for other messages, and if the slice lacks its execution or recorder. */
function sliceIn(delivery: Delivery): DeliveredSlice | undefined {
  const decoded = decodedOf(delivery);
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice') return undefined;
  const { execution_id } = decoded.message;
  const { store_id: storeId, reply_to: replyTo } = delivery.headers;
  if (execution_id === undefined || storeId === undefined) return undefined;
  return { slice: { ...decoded.message, execution_id }, storeId, replyTo, since: performance.now() };
}

const nameOf = (slot: number) => `slot-${String(slot).padStart(2, '0')}`;
