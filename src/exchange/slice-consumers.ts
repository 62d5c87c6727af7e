import type { DeliveredSlice } from '../agents/ports.ts';
import type { SliceWorker } from '../agents/slice-worker.ts';
import type { BrokerConnection, Delivery } from '../broker/connection.ts';
import { aborted, pause } from '../lib/deadline.ts';
import type { Taking } from './execution-views.ts';
import { decodedOf } from './wire.ts';

export interface SliceConsumersOptions {
  broker: BrokerConnection;
  /** Makes a connection for this queue alone, for a broker without selectors. */
  connectApart: () => BrokerConnection;
  namespace: string;
  destination: string;
  slots: number;
  worker: Pick<SliceWorker, 'handle'>;
  /** Handles a message on the queue that is not a slice. */
  reject: (delivery: Delivery) => Promise<void>;
  /**
   * Slices that a slot leaves on the queue for now, by header and values: slices of paused executions and of
   * kinds that cannot be done.
   */
  unwanted: (slot: number) => Readonly<Record<string, readonly string[]>>;
  /** The slots that are to take slices for now. */
  taking?: () => Taking;
  /** Called when a slot is taken or freed. */
  onChange: () => void;
  /** Aborted when no more slices are to be taken. */
  draining: AbortSignal;
}

/** How long a slot keeps a paused execution's slice before returning it, on a broker without selectors: avoids spinning. */
const restMilliseconds = 5000;

/** How long a worker that left the queue to others waits before it looks again, in milliseconds. */
const awayMilliseconds = 30_000;

/**
 * Takes slices from a broker's queue for a worker's slots. Each slot has its own subscription, which holds one slice at a time.
 *
 * A broker without selectors cannot withhold slices that a worker cannot do. After as many such slices in a row as it has slots, the worker leaves
 * the queue to others. Then one slot checks every 30 s whether it can do the next slice. RabbitMQ keeps an ended subscription's unacknowledged
 * messages, so leaving closes a connection used only for this queue.
 */
export function createSliceConsumers(options: SliceConsumersOptions) {
  const { broker, draining, onChange } = options;
  const slots = Array.from({ length: options.slots }, (_, index) => index + 1);
  const hands = createHands(options, ended);
  const queue = createQueue(options, (slot, delivery) => {
    // Another slot is still working, so the connection is open.
    if (taking === 'none') void hands.giveBack(delivery);
    else hands.take(slot, delivery);
  });
  /** Slots whose subscription does not know yet what is unwanted. */
  const stale = new Set<number>();
  let unfitInARow = 0;
  /** The slots that were to take slices last, and, on a broker without selectors, those that do. */
  let wanted: Taking = 'all';
  let taking: Taking = 'all';
  /** Whether one slot comes back as soon as the queue has been left. */
  let isTrialDue = false;
  let back: NodeJS.Timeout | undefined;

  function attend(now: 'all' | 'one') {
    if (draining.aborted || hands.failed.aborted) return;
    isTrialDue = false;
    taking = now;
    queue.open();
    for (const slot of now === 'one' ? [1] : slots) queue.subscribe(slot);
    onChange();
  }

  async function close() {
    const closed = queue.close();
    if (isTrialDue) attend('one');
    await closed;
  }

  function leave() {
    taking = 'none';
    if (hands.size() === 0) void close();
    onChange();
  }

  /** On a broker without selectors, leaves the queue for a rest, and comes back with one slot for a trial. */
  function restOrReturn() {
    const now = options.taking?.() ?? 'all';
    if (now === wanted) return;
    wanted = now;
    clearTimeout(back);
    // If a subscription ended alone, a slice in flight to it would stay with the connection.
    isTrialDue = now === 'one' && queue.size() > 1;
    if (now === 'none' || isTrialDue) leave();
    else attend(now);
  }

  function ended(slot: number) {
    if (taking === 'none' && hands.size() === 0) void close();
    // The slice that was tried could be done; a trial ends when the recorder says so.
    else if (taking === 'one' && wanted === 'all') attend('all');
    else if (!draining.aborted && stale.delete(slot)) queue.subscribeAgain(slot);
    onChange();
  }

  // A rest may end, or begin, while the broker is away.
  broker.onUp(() => {
    if (!draining.aborted && !broker.hasSelectors()) restOrReturn();
  });
  return {
    /** The slots that work on slices; only the busy slots while draining. */
    slots: () => (draining.aborted ? hands.size() : options.slots),
    /** The slots that would take a slice now. */
    freeSlots() {
      if (draining.aborted || taking === 'none') return 0;
      return taking === 'all' ? options.slots - hands.size() : Math.max(0, 1 - hands.size());
    },
    /** Whether a slot has no slice in hand. */
    isFree: hands.isFree,
    /** Call when the unwanted slices have changed. */
    refresh() {
      if (draining.aborted || !broker.isUp()) return;
      if (!broker.hasSelectors()) return restOrReturn();
      for (const slot of slots)
        if (hands.isFree(slot)) queue.subscribeAgain(slot);
        else stale.add(slot);
    },
    /** Notes that the current slice can be done. */
    noteFit() {
      unfitInARow = 0;
    },
    /**
     * Notes that the current slice cannot be done. No effect if the broker withholds such slices.
     * @param othersCan whether a worker is heard that could do it: only then leave the queue to others
     */
    noteUnfit(othersCan: boolean) {
      unfitInARow += 1;
      const isEnough = taking === 'one' || unfitInARow >= options.slots;
      if (!othersCan || !isEnough || draining.aborted || broker.hasSelectors() || taking === 'none') return;
      back = setTimeout(attend, awayMilliseconds, 'one');
      leave();
    },
    /** Resolves when the worker drains and the slices in hand have ended. Throws the errors of the worker. */
    async run() {
      attend('all');
      await Promise.race([aborted(draining), aborted(hands.failed)]);
      clearTimeout(back);
      hands.failed.throwIfAborted();
      // A free slot must receive no more slices. A busy slot keeps its subscription until it has acknowledged: otherwise the broker would deliver its
      // slice to another worker.
      await Promise.all(slots.map((slot) => hands.whenFree(slot).then(() => queue.unsubscribe(slot))));
      await close();
      hands.failed.throwIfAborted();
    },
  };
}

export type SliceConsumers = ReturnType<typeof createSliceConsumers>;

/** The slices that slots have in hand. @param onEnded called when a slot is free again */
function createHands({ broker, draining, worker, reject }: SliceConsumersOptions, onEnded: (slot: number) => void) {
  const busy = new Map<number, Promise<void>>();
  const failed = new AbortController();
  const whenFree = (slot: number) => busy.get(slot) ?? Promise.resolve();

  async function giveBack(delivery: Delivery) {
    if (!broker.hasSelectors()) await pause(restMilliseconds, [draining, delivery.lost]);
    delivery.giveBack();
  }

  async function handle(slot: number, delivery: Delivery) {
    const delivered = sliceIn(delivery);
    const acknowledge = () => delivery.acknowledge();
    if (delivered !== undefined)
      return worker.handle({ ...delivered, acknowledge, giveBack: () => giveBack(delivery) }, slot);
    await reject(delivery);
    acknowledge();
  }

  return {
    /** Aborted with an error of the worker. */
    failed: failed.signal,
    giveBack,
    size: () => busy.size,
    isFree: (slot: number) => !busy.has(slot),
    whenFree,
    take(slot: number, delivery: Delivery) {
      // After a reconnect a slot may receive a slice while it has one: still handle one at a time.
      const handled: Promise<void> = whenFree(slot)
        .then(() => handle(slot, delivery))
        .catch((error: unknown) => failed.abort(error))
        .finally(() => {
          if (busy.get(slot) !== handled) return;
          busy.delete(slot);
          onEnded(slot);
        });
      busy.set(slot, handled);
    },
  };
}

/** The subscriptions of slots: on the worker's connection or, without selectors, on one of their own. */
function createQueue(options: SliceConsumersOptions, onMessage: (slot: number, delivery: Delivery) => void) {
  const { broker, connectApart, destination, draining, namespace, unwanted } = options;
  /** The connection that the slots subscribe on. */
  let queue = broker;
  /** Slots with a subscription there. A new one would lose the messages in flight to the old one. */
  const subscribed = new Set<number>();

  function begin(slot: number) {
    const own = queue;
    own.subscribe({
      id: nameOf(slot),
      destination,
      ack: 'each',
      only: () => ({ namespace, store: 'named', not: unwanted(slot) }),
      prefetch: 1,
      onMessage(delivery) {
        // A connection that is being closed returns what still arrives on it.
        if (own === queue && !draining.aborted) onMessage(slot, delivery);
      },
    });
  }

  return {
    size: () => subscribed.size,
    open() {
      // Slices begun earlier may still be in hand: their connection stays.
      if (broker.hasSelectors() || queue !== broker) return;
      queue = connectApart();
      void queue.connect({ once: false });
    },
    subscribe(slot: number) {
      if (!subscribed.has(slot)) begin(slot);
      subscribed.add(slot);
    },
    unsubscribe: (slot: number) => queue.unsubscribe(nameOf(slot)),
    subscribeAgain(slot: number) {
      queue.unsubscribe(nameOf(slot));
      begin(slot);
    },
    /** Closing a connection returns its unacknowledged slices to the queue at once. */
    async close() {
      const apart = queue;
      if (apart === broker) return;
      queue = broker;
      subscribed.clear();
      await apart.close();
    },
  };
}

/** The slice of a delivery; undefined for any other message, and for a slice that names no execution or no recorder. */
function sliceIn(delivery: Delivery): DeliveredSlice | undefined {
  const decoded = decodedOf(delivery);
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice') return undefined;
  const { execution_id } = decoded.message;
  const { store_id: storeId, reply_to: replyTo } = delivery.headers;
  if (execution_id === undefined || storeId === undefined) return undefined;
  return { slice: { ...decoded.message, execution_id }, storeId, replyTo, since: performance.now() };
}

const nameOf = (slot: number) => `slot-${String(slot).padStart(2, '0')}`;
