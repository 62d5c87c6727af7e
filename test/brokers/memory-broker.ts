import type { Only, StoreChoice, Subscription, DialectName } from '../../src/broker/connection.ts';
import { type BrokerDialect, dialects } from '../../src/broker/dialects.ts';
import { SwfError } from '../../src/lib/errors.ts';

export interface StoredMessage {
  headers: Record<string, string>;
  body: string;
}

/** One connection, as the broker sees it. */
export interface MemorySession {
  isUp(): boolean;
  comeUp(): void;
  breakOff(): void;
  listensTo(durableName: string): boolean;
  /**
   * Delivers a message of a topic to every subscription that it fits.
   * @param heard durable subscriptions, which several sessions may share, that have it already
   */
  hear(destination: string, message: StoredMessage, heard: Set<string>): void;
  hasRoomFor(destination: string, message: StoredMessage): boolean;
  /** Delivers a message of a queue to one subscription that has room. */
  take(destination: string, message: StoredMessage): void;
}

/**
 * A broker in this process, for tests of the code between log and broker: queues, topics, namespaces, acknowledgement, durable
 * subscriptions and breaks as a real one of each kind has them, in microseconds. Nothing survives the process.
 */
export class MemoryBroker {
  readonly dialect: BrokerDialect;
  readonly #sessions = new Set<MemorySession>();
  readonly #queues = new Map<string, StoredMessage[]>();
  /** Messages that are kept for durable subscriptions, by name; `destination` is the topic. */
  readonly #durable = new Map<string, { destination: string; only: Subscription['only']; kept: StoredMessage[] }>();
  #isUp = true;
  #refuses: (message: StoredMessage) => boolean = () => false;

  constructor(kind: DialectName = 'activemq') {
    this.dialect = dialects[kind];
  }

  /** The destination that a subscription reads. */
  placeOf({ destination, only }: Pick<Subscription, 'destination' | 'only'>): string {
    return this.dialect.place(destination, only?.().namespace).destination;
  }

  /** Whether a subscription receives a message. */
  fits({ headers }: StoredMessage, only: Subscription['only']): boolean {
    return only === undefined || !this.dialect.hasSelectors || isChosen(only(), headers);
  }

  /** Whether another session has a durable subscription, on a broker that lets one hold it. */
  isHeldElsewhere(durableName: string, session: MemorySession): boolean {
    return (
      this.dialect.name === 'activemq' &&
      [...this.#sessions].some((other) => other !== session && other.isUp() && other.listensTo(durableName))
    );
  }

  /** Ends every session; they come back when the broker is up again. Messages stay. */
  goDown(): void {
    this.#isUp = false;
    for (const session of this.#sessions) session.breakOff();
  }

  comeUp(): void {
    this.#isUp = true;
    for (const session of this.#sessions) session.comeUp();
  }

  /** Messages that wait in a queue, without those that are delivered and not acknowledged. */
  waiting(queue: string): number {
    return this.#queues.get(queue)?.length ?? 0;
  }

  /** From now on the broker refuses messages for which this returns true. */
  refuse(refuses: (message: StoredMessage) => boolean): void {
    this.#refuses = refuses;
  }

  /** Throws `BROKER_REFUSED`. */
  requireWelcome(message: StoredMessage): void {
    if (this.#refuses(message)) throw new SwfError('BROKER_REFUSED', 'the broker does not take this message');
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  enter(session: MemorySession): void {
    this.#sessions.add(session);
  }

  leave(session: MemorySession): void {
    this.#sessions.delete(session);
  }

  publish(destination: string, message: StoredMessage): void {
    if (destination.startsWith('/queue/')) {
      this.#queueOf(destination).push(message);
      this.dispatch(destination);
      return;
    }
    for (const [name, durable] of this.#durable) {
      if (durable.destination !== destination || !this.fits(message, durable.only)) continue;
      const listens = [...this.#sessions].some((session) => session.isUp() && session.listensTo(name));
      if (!listens) durable.kept.push(message);
    }
    const heard = new Set<string>();
    for (const session of this.#sessions) session.hear(destination, message, heard);
  }

  /** Delivers the messages of a queue to the subscriptions that have room, in turn. */
  dispatch(destination: string): void {
    const queue = this.#queueOf(destination);
    for (let at = 0; at < queue.length;) {
      const message = queue[at] as StoredMessage;
      const taker = [...this.#sessions].find((session) => session.hasRoomFor(destination, message));
      if (taker === undefined) {
        at += 1;
        continue;
      }
      queue.splice(at, 1);
      // The next message goes to another session, as with a real broker.
      this.#sessions.delete(taker);
      this.#sessions.add(taker);
      taker.take(destination, message);
    }
  }

  /** Puts the unacknowledged messages of a session back on the queue. */
  giveBack(destination: string, messages: readonly StoredMessage[]): void {
    this.#queueOf(destination).unshift(...messages);
    this.dispatch(destination);
  }

  /** Opens a durable subscription. Returns the messages that were kept for it. */
  openDurable(name: string, subscription: Subscription): StoredMessage[] {
    const kept = this.#durable.get(name)?.kept ?? [];
    this.#durable.set(name, { destination: this.placeOf(subscription), only: subscription.only, kept: [] });
    return kept;
  }

  /** Keeps the unacknowledged messages of a durable subscription. */
  keep(name: string, messages: readonly StoredMessage[]): void {
    this.#durable.get(name)?.kept.unshift(...messages);
  }

  /** Deletes everything, as if the disk were lost. */
  forgetAll(): void {
    this.#queues.clear();
    this.#durable.clear();
  }

  forgetDurable(name: string): boolean {
    return this.#durable.delete(name);
  }

  #queueOf(destination: string): StoredMessage[] {
    const queue = this.#queues.get(destination) ?? [];
    this.#queues.set(destination, queue);
    return queue;
  }
}

function isOfStore(store: StoreChoice, id: string | undefined): boolean {
  if (store === 'named') return id !== undefined;
  return 'is' in store ? id === store.is : id === undefined || id === store.isOrNone;
}

/** Whether a subscription is for a message with these headers: a selector in code. */
function isChosen(
  { namespace, store, execution, not = {} }: Only,
  headers: Record<string, string | undefined>,
): boolean {
  return (
    headers['namespace'] === namespace &&
    (store === undefined || isOfStore(store, headers['store_id'])) &&
    (execution === undefined || headers['execution_id'] === execution) &&
    Object.entries(not).every(([header, values]) => !values.includes(headers[header] ?? ''))
  );
}
