import { setMaxListeners } from 'node:events';

import stompit, { type Client } from 'stompit';

import { SwfError } from '../lib/errors.ts';
import { activeMqClassic } from './activemq-classic.ts';
import { type BrokerAddress, showAddress } from './address.ts';
import type { BrokerConnection, BrokerSettings, Connect, Subscription } from './connection.ts';
import type { BrokerDialect } from './dialect.ts';
import { asSwfError, connectOptions, disconnect, receive } from './stomp-frames.ts';
import { replaceErrorHandler, surviveHostileHeaders } from './stompit-repairs.ts';

const connectMilliseconds = 10_000;
const receiptMilliseconds = 30_000;
const firstPause = 500;
const longestPause = 30_000;
/** After a session that held this long the next pause is short again. */
const steadyMilliseconds = 30_000;

interface Session {
  client: Client;
  address: BrokerAddress;
  since: number;
  /** Settles everything that waits for this session. */
  ended: AbortController;
  isUp: boolean;
  timers: Set<NodeJS.Timeout>;
}

/**
 * A connection to a STOMP broker that comes back.
 *
 * - One session at a time; every callback first asks whether its session is the current one, and `down` is the only way out.
 * - A send is settled by the broker's receipt or by the end of its session, never by neither.
 * - Nothing is queued here: the sender keeps what has no receipt (the log is the outbox) and bounds what is under way.
 *
 * stompit 1.0.0 has faults that end the process or wait for ever. Each is met where it bites, with the reason beside it.
 */
export const connectByStomp: Connect = (settings, onTrouble) =>
  new ReturningConnection(settings, activeMqClassic, onTrouble);

class ReturningConnection implements BrokerConnection {
  readonly #settings: BrokerSettings;
  readonly #dialect: BrokerDialect;
  readonly #onTrouble: (error: SwfError) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #upCallbacks: (() => void)[] = [];
  #session: Session | undefined;
  #attempts = 0;
  #pause = firstPause;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #first: { resolve: () => void; reject: (error: SwfError) => void; once: boolean } | undefined;

  constructor(settings: BrokerSettings, dialect: BrokerDialect, onTrouble: (error: SwfError) => void) {
    surviveHostileHeaders();
    this.#settings = settings;
    this.#dialect = dialect;
    this.#onTrouble = onTrouble;
  }

  isUp(): boolean {
    return this.#session?.isUp === true;
  }

  connect({ once }: { once: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject, once };
      this.#open();
    });
  }

  onUp(callback: () => void): void {
    this.#upCallbacks.push(callback);
  }

  subscribe(subscription: Subscription): void {
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#session?.isUp === true) this.#subscribeNow(this.#session, subscription).catch(() => {});
  }

  unsubscribe(id: string): void {
    this.#subscriptions.delete(id);
    if (this.#session?.isUp === true) this.#request(this.#session, 'UNSUBSCRIBE', { id }).catch(() => {});
  }

  forget(durableName: string): Promise<void> {
    if (this.#session?.isUp !== true) return Promise.reject(notUp());
    return this.#request(this.#session, 'UNSUBSCRIBE', { id: 'durable', ...this.#dialect.forgetHeaders(durableName) });
  }

  send(destination: string, headers: Record<string, string>, body: string): Promise<void> {
    if (this.#session?.isUp !== true) return Promise.reject(notUp());
    return this.#request(this.#session, 'SEND', { ...headers, destination }, body);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    const last = this.#session;
    if (last === undefined) return;
    if (last.isUp) await disconnect(last.client);
    this.#down(last, undefined);
  }

  #open(): void {
    const { servers } = this.#settings;
    const address = servers[this.#attempts % servers.length] as BrokerAddress;
    this.#attempts += 1;
    const opened: Session = {
      address,
      since: performance.now(),
      ended: new AbortController(),
      isUp: false,
      timers: new Set(),
      client: undefined as unknown as Client,
    };
    // One listener a send under way.
    setMaxListeners(0, opened.ended.signal);
    this.#session = opened;
    const lost = (error: unknown): void => this.#down(opened, asSwfError(error, address));
    try {
      opened.client = stompit.connect(connectOptions(this.#settings, address), (error) => {
        if (error) lost(error);
        else void this.#comeUp(opened);
      });
    } catch (error) {
      opened.client = { destroy: () => {} } as Client;
      lost(error);
      return;
    }
    // Without listeners of our own an error after CONNECTED would end the process.
    opened.client.on('error', lost);
    opened.client.on('end', () => lost(new Error('the connection ended')));
    replaceErrorHandler(opened.client, lost);
    // stompit's own time-out ends at the TCP connection; a broker that accepts and says nothing is ours to notice.
    const mute = (): void => lost(new Error(`no answer within ${connectMilliseconds / 1000} s`));
    opened.timers.add(setTimeout(mute, connectMilliseconds));
  }

  async #comeUp(on: Session): Promise<void> {
    if (this.#session !== on) return;
    for (const timer of on.timers) clearTimeout(timer);
    on.timers.clear();
    try {
      await Promise.all([...this.#subscriptions.values()].map((subscription) => this.#subscribeNow(on, subscription)));
    } catch {
      // The session went down meanwhile, and `#down` has seen to the next one.
      return;
    }
    if (this.#session !== on) return;
    on.isUp = true;
    on.since = performance.now();
    this.#first?.resolve();
    this.#first = undefined;
    for (const callback of this.#upCallbacks) callback();
  }

  /** The only way out of a session. `reason` undefined: we ended it ourselves. */
  #down(over: Session, reason: SwfError | undefined): void {
    if (this.#session !== over) return;
    this.#session = undefined;
    for (const timer of over.timers) clearTimeout(timer);
    over.client.destroy();
    over.ended.abort(reason ?? new SwfError('BROKER_UNREACHABLE', 'the connection to the broker was closed'));
    if (this.#closed || reason === undefined) return;
    const isFirstRound = this.#attempts < this.#settings.servers.length;
    if (this.#first?.once === true && !isFirstRound) {
      this.#closed = true;
      this.#first.reject(reason);
      return;
    }
    this.#onTrouble(reason);
    if (over.isUp && performance.now() - over.since > steadyMilliseconds) this.#pause = firstPause;
    const wait = this.#first !== undefined && isFirstRound ? 0 : this.#pause * (0.75 + Math.random() / 2);
    if (!isFirstRound) this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#retryTimer = setTimeout(() => this.#open(), wait);
  }

  #subscribeNow(on: Session, subscription: Subscription): Promise<void> {
    const { id, destination, onMessage } = subscription;
    const mustAcknowledge = subscription.ack === 'each';
    const ack = mustAcknowledge ? 'client-individual' : 'auto';
    on.client.setImplicitSubscription(id, ack, (error, frame) => {
      if (!error) receive({ client: on.client, ended: on.ended.signal, frame }, mustAcknowledge, onMessage);
    });
    // stompit's own subscribe() cannot ask for a receipt, and without one a message published next can be missed.
    const headers = this.#dialect.subscribeHeaders(subscription);
    return this.#request(on, 'SUBSCRIBE', { ...headers, id, destination, ack });
  }

  /** Sends a frame; resolves at its receipt, rejects at the end of its session. */
  #request(on: Session, command: string, headers: Record<string, string>, body = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = on.ended;
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const late = `${showAddress(on.address)} gave no receipt for ${receiptMilliseconds / 1000} s; reconnecting`;
      const timer = setTimeout(() => this.#down(on, new SwfError('BROKER_UNREACHABLE', late)), receiptMilliseconds);
      on.timers.add(timer);
      const settle = (): void => {
        clearTimeout(timer);
        on.timers.delete(timer);
        signal.removeEventListener('abort', fail);
      };
      // stompit forgets receipts and callbacks when a connection dies.
      const fail = (): void => {
        settle();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', fail);
      const onReceipt = (): void => {
        settle();
        resolve();
      };
      // Headers are written into by stompit, so each frame gets its own. A frame that is not ended blocks the connection.
      const frame = on.client.sendFrame(command, { ...headers }, { onReceipt });
      frame.on('error', () => {});
      frame.end(Buffer.from(body));
    });
  }
}

const notUp = (): SwfError => new SwfError('BROKER_UNREACHABLE', 'there is no connection to the broker at the moment');
