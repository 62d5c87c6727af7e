import { setImmediate as nextTurn } from 'node:timers/promises';

import type {
  OnTrouble,
  BrokerConnection,
  Connect,
  Delivery,
  DurablePlace,
  Outgoing,
  Subscription,
} from '../../src/broker/connection.ts';
import { SwfError } from '../../src/lib/errors.ts';
import type { MemoryBroker, MemorySession, StoredMessage } from './memory-broker.ts';

/** Makes connections to a broker in this process. */
export const connectToMemory =
  (broker: MemoryBroker): Connect =>
  ({ clientId }, onTrouble) =>
    new MemoryConnection(broker, onTrouble, clientId);

/**
 * Connections of a user who may listen to topics, and nothing else: what an observer needs. Queues, durable subscriptions, acknowledgements and
 * messages throw `BROKER_REFUSED`.
 */
export const listenToMemory =
  (broker: MemoryBroker): Connect =>
  ({ clientId }, onTrouble) =>
    new ListeningConnection(broker, onTrouble, clientId);

/** The interval at which a connection that stands by for another one retries. */
const standbyMilliseconds = 50;

interface Listening {
  subscription: Subscription;
  /** Delivered and not acknowledged. */
  open: Set<StoredMessage>;
}

class MemoryConnection implements BrokerConnection, MemorySession {
  readonly #broker: MemoryBroker;
  readonly #onTrouble: OnTrouble;
  readonly #clientId: string | undefined;
  readonly #listening = new Map<string, Listening>();
  /** Ended subscriptions, on a broker that keeps their unacknowledged messages for as long as the session lasts. */
  readonly #ended: Listening[] = [];
  readonly #upCallbacks: (() => void)[] = [];
  #session: AbortController | undefined;
  #onFirst: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(broker: MemoryBroker, onTrouble: OnTrouble, clientId: string | undefined) {
    this.#broker = broker;
    this.#onTrouble = onTrouble;
    this.#clientId = clientId;
  }

  isUp(): boolean {
    return this.#session !== undefined;
  }

  hasSelectors(): boolean {
    return this.#broker.dialect.hasSelectors;
  }

  connect({ once }: { once: boolean }): Promise<void> {
    this.#broker.enter(this);
    if (!this.#broker.isUp && once) {
      this.#broker.leave(this);
      return Promise.reject(notUp());
    }
    return new Promise((resolve) => {
      this.#onFirst = resolve;
      if (this.#broker.isUp) this.comeUp();
    });
  }

  comeUp(): void {
    if (this.#session !== undefined) return;
    if (this.#isHeldElsewhere()) {
      this.#retry = setTimeout(() => {
        if (this.#broker.isUp) this.comeUp();
      }, standbyMilliseconds);
      return;
    }
    this.#session = new AbortController();
    for (const { subscription } of this.#listening.values()) this.#open(subscription);
    this.#onFirst?.();
    this.#onFirst = undefined;
    for (const callback of this.#upCallbacks) callback();
  }

  breakOff(): void {
    if (this.#session === undefined) return;
    this.#end();
    this.#onTrouble(notUp(), Date.now());
  }

  onUp(callback: () => void): void {
    this.#upCallbacks.push(callback);
  }

  subscribe(subscription: Subscription): void {
    this.#listening.set(subscription.id, { subscription, open: new Set() });
    if (this.isUp()) this.#open(subscription);
  }

  unsubscribe(id: string): void {
    const listening = this.#listening.get(id);
    this.#listening.delete(id);
    if (listening === undefined) return;
    if (this.#broker.dialect.giveBack === 'nack') this.#ended.push(listening);
    else this.#giveBack(listening);
  }

  forget({ durableName }: DurablePlace): Promise<boolean> {
    return this.isUp() ? Promise.resolve(this.#broker.forgetDurable(durableName)) : Promise.reject(notUp());
  }

  async send({ destination, headers, body }: Outgoing): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw notUp();
    await nextTurn();
    if (session.signal.aborted) throw notUp();
    const place = this.#broker.dialect.place(destination, headers['namespace']).destination;
    const message = { headers: { ...headers }, body };
    this.#broker.requireWelcome(message);
    this.#broker.publish(place, message);
  }

  close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#end();
    this.#broker.leave(this);
    return Promise.resolve();
  }

  listensTo(durableName: string): boolean {
    return (
      this.#clientId !== undefined &&
      [...this.#listening.values()].some((one) => one.subscription.durableName === durableName)
    );
  }

  /** Delivers a message of a topic to every subscription that it fits. */
  hear(destination: string, message: StoredMessage, heard: Set<string>): void {
    if (!this.isUp()) return;
    for (const listening of this.#listening.values()) {
      const { durableName, only } = listening.subscription;
      if (this.#broker.placeOf(listening.subscription) !== destination || !this.#broker.fits(message, only)) continue;
      if (durableName !== undefined && heard.has(durableName)) continue;
      if (durableName !== undefined) heard.add(durableName);
      this.#deliver(listening, message);
    }
  }

  hasRoomFor(destination: string, message: StoredMessage): boolean {
    return this.#withRoom(destination, message) !== undefined;
  }

  take(destination: string, message: StoredMessage): void {
    const listening = this.#withRoom(destination, message);
    if (listening !== undefined) this.#deliver(listening, message);
  }

  #withRoom(destination: string, message: StoredMessage): Listening | undefined {
    if (!this.isUp()) return undefined;
    return [...this.#listening.values()].find(
      ({ subscription, open }) =>
        this.#broker.placeOf(subscription) === destination &&
        this.#broker.fits(message, subscription.only) &&
        open.size < (subscription.prefetch ?? Infinity),
    );
  }

  #open(subscription: Subscription): void {
    const listening = this.#listening.get(subscription.id);
    if (listening === undefined) return;
    if (subscription.durableName !== undefined)
      for (const message of this.#broker.openDurable(subscription.durableName, subscription))
        this.#deliver(listening, message);
    else if (subscription.destination.startsWith('/queue/')) this.#broker.dispatch(this.#broker.placeOf(subscription));
  }

  #deliver({ subscription, open }: Listening, message: StoredMessage): void {
    const session = this.#session;
    if (session === undefined) return;
    if (subscription.ack === 'each') open.add(message);
    const { signal } = session;
    const delivery: Delivery = {
      headers: message.headers,
      id: undefined,
      body: message.body,
      bytes: Buffer.from(message.body),
      size: Buffer.byteLength(message.body),
      isWhole: true,
      lost: signal,
      acknowledge: (onConfirmed) => {
        if (signal.aborted || !open.delete(message)) return;
        if (onConfirmed !== undefined) setImmediate(onConfirmed);
        this.#broker.dispatch(this.#broker.placeOf(subscription));
      },
      giveBack: () => {
        if (signal.aborted || !open.delete(message)) return;
        this.#broker.giveBack(this.#broker.placeOf(subscription), [message]);
      },
    };
    // A broker delivers on a later turn, never within the call that sends or subscribes.
    setImmediate(() => {
      if (!signal.aborted) subscription.onMessage(delivery);
    });
  }

  #isHeldElsewhere(): boolean {
    return [...this.#listening.values()].some(
      ({ subscription: { durableName } }) =>
        durableName !== undefined && this.#broker.isHeldElsewhere(durableName, this),
    );
  }

  #end(): void {
    this.#session?.abort();
    this.#session = undefined;
    for (const listening of [...this.#listening.values(), ...this.#ended.splice(0)]) this.#giveBack(listening);
  }

  #giveBack({ subscription, open }: Listening): void {
    const left = [...open];
    open.clear();
    if (left.length === 0) return;
    if (subscription.durableName !== undefined) this.#broker.keep(subscription.durableName, left);
    else if (subscription.destination.startsWith('/queue/'))
      this.#broker.giveBack(this.#broker.placeOf(subscription), left);
  }
}

class ListeningConnection extends MemoryConnection {
  override subscribe(subscription: Subscription): void {
    const { destination, durableName, ack } = subscription;
    if (!destination.startsWith('/topic/')) throw refusedTo(`take messages from ${destination}`);
    if (durableName !== undefined) throw refusedTo(`keep messages as ${durableName}`);
    if (ack !== 'auto') throw refusedTo('acknowledge messages');
    const refuse = (): never => {
      throw refusedTo('acknowledge messages or give them back');
    };
    const onMessage = (delivery: Delivery): void =>
      subscription.onMessage({ ...delivery, acknowledge: refuse, giveBack: refuse });
    super.subscribe({ ...subscription, onMessage });
  }

  override send({ destination }: Outgoing): Promise<void> {
    return Promise.reject(refusedTo(`send to ${destination}`));
  }
}

const refusedTo = (what: string): SwfError => new SwfError('BROKER_REFUSED', `this user may not ${what}`);

const notUp = (): SwfError => new SwfError('BROKER_UNREACHABLE', 'not connected to the broker');
