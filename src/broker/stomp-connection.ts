import { backoff } from '../lib/duration.ts';
import { brokerRefused, brokerUnreachable, SwfError } from '../lib/errors.ts';
import type { BrokerAddress } from './address.ts';
import type {
  BrokerConnection,
  BrokerSettings,
  Connect,
  ConnectHow,
  DurablePlace,
  OnTrouble,
  Outgoing,
  Subscription,
} from './connection.ts';
import { type BrokerDialect, subscribeHeaders, dialectOfServer, dialects } from './dialects.ts';
import { disconnect } from './stomp-frames.ts';
import { requireCopies, StompSession } from './stomp-session.ts';
import { surviveHostileHeaders } from './stompit-repairs.ts';

const pauses = { first: 500, longest: 30_000 };
/** How often, in milliseconds, a connection tries again while another connection holds the same client id. */
const standbyPause = 5000;
/**
 * After a session that lasted this long (in milliseconds), and longer than the pause before it, the next pause
 * is short again: a bad link does not mean a bad broker.
 */
const steadyMilliseconds = 5000;

/**
 * A STOMP broker connection that reconnects.
 *
 * - One session at a time; every callback first checks that its session is current, and a session ends only
 *   through `down`.
 * - Every send settles: when the broker confirms or refuses it, or when the session ends.
 * - Nothing is queued here: the sender keeps messages without a receipt (the log is the outbox) and limits those in
 *   flight.
 *
 * stompit 1.0.0 has bugs that crash the process or make it hang forever. Each is worked around where it occurs,
 * with a comment that says why.
 */
export const connectByStomp: Connect = (settings, onTrouble) => new ReturningConnection(settings, onTrouble);

class ReturningConnection implements BrokerConnection {
  readonly #settings: BrokerSettings;
  readonly #onTrouble: OnTrouble;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #upCallbacks: (() => void)[] = [];
  /** The configured dialect or, if none is configured, that of the session's broker. */
  #dialect: BrokerDialect;
  #session: StompSession | undefined;
  #attempts = 0;
  /** Failed attempts to connect since the last steady session, not counting the first round through the servers. */
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #standsBy = false;
  /** The running probes that check whether topics are queues. */
  #asking = Promise.resolve();
  #first: (Required<ConnectHow> & { resolve: () => void; reject: (error: SwfError) => void }) | undefined;

  constructor(settings: BrokerSettings, onTrouble: OnTrouble) {
    surviveHostileHeaders();
    this.#settings = settings;
    this.#dialect = dialects[settings.dialect ?? 'activemq'];
    this.#onTrouble = onTrouble;
  }

  isUp() {
    return this.#session?.isUp === true;
  }

  hasSelectors() {
    return this.#dialect.hasSelectors;
  }

  connect({ once, mayBeRefused = true }: ConnectHow): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject, once, mayBeRefused };
      this.#open();
    });
  }

  onUp(callback: () => void) {
    this.#upCallbacks.push(callback);
  }

  subscribe(subscription: Subscription) {
    this.#subscriptions.set(subscription.id, subscription);
    const on = this.#session;
    if (on?.isUp !== true) return;
    // A refused subscription counts as a refused session: otherwise, the missing messages would look like
    // silence.
    this.#subscribe(on, subscription).catch((error: unknown) => this.#down(on, error as SwfError));
  }

  async #subscribe(on: StompSession, subscription: Subscription) {
    const { destination, copiesOnly = false } = subscription;
    // One at a time: each probe opens its own connection, and a broker may allow only a few.
    if (copiesOnly) {
      const asking = this.#asking.then(() => requireCopies(this.#settings, on.address, this.#dialect, destination));
      this.#asking = asking.catch(() => {});
      await asking;
    }
    if (this.#session === on) await on.subscribe(subscription);
  }

  unsubscribe(id: string) {
    this.#subscriptions.delete(id);
    if (this.#session?.isUp === true) this.#session.unsubscribe(id);
  }

  async forget(durable: DurablePlace) {
    const on = this.#session;
    if (on?.isUp !== true) throw notUp();
    const subscribe = { ...subscribeHeaders(this.#dialect, durable), id: 'durable', ack: 'client-individual' };
    try {
      for (const { command, headers } of this.#dialect.forget(durable.durableName, subscribe))
        await on.requests.ask(command, headers);
      return true;
    } catch (error) {
      if (error instanceof SwfError && this.#dialect.isNoSuchSubscription(error.message)) return false;
      throw error;
    }
  }

  async send({ destination, headers, body, expirySeconds }: Outgoing) {
    const on = this.#session;
    if (on?.isUp !== true) throw notUp();
    const place = this.#dialect.place(destination, headers['namespace']);
    const expiry = expirySeconds === undefined ? {} : this.#dialect.expiry(expirySeconds);
    await on.requests.ask('SEND', { ...headers, ...place.send, ...expiry, destination: place.destination }, body);
  }

  async close() {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    const last = this.#session;
    if (last === undefined) return;
    if (last.isUp) await disconnect(last.client);
    this.#down(last, undefined);
  }

  #open() {
    const { servers } = this.#settings;
    const address = servers[this.#attempts % servers.length] as BrokerAddress;
    this.#attempts += 1;
    const opened = new StompSession(this.#settings, address, {
      dialectOf: (server) => this.#meet(server),
      current: (id) => this.#subscriptions.get(id),
      onConnected: () => void this.#comeUp(opened),
      onLost: (error) => this.#down(opened, error),
    });
    this.#session = opened;
    opened.open();
  }

  #meet(server: string | undefined) {
    if (this.#settings.dialect === undefined) this.#dialect = dialectOfServer(server);
    return this.#dialect;
  }

  async #comeUp(on: StompSession) {
    if (this.#session !== on) return;
    try {
      await Promise.all([...this.#subscriptions.values()].map((subscription) => this.#subscribe(on, subscription)));
    } catch (error) {
      // If the session has ended in the meantime, `#down` has already arranged the next one.
      this.#down(on, error as SwfError);
      return;
    }
    if (this.#session !== on) return;
    on.comeUp();
    this.#standsBy = false;
    this.#first?.resolve();
    this.#first = undefined;
    for (const callback of this.#upCallbacks) callback();
  }

  /** The only way in which a session ends. If `reason` is undefined, we ended it ourselves. */
  #down(over: StompSession, reason: SwfError | undefined) {
    if (this.#session !== over) return;
    this.#session = undefined;
    over.end(reason ?? brokerUnreachable('the connection to the broker was closed'));
    if (this.#closed || reason === undefined) return;
    const isFirstRound = this.#attempts < this.#settings.servers.length;
    if (this.#first !== undefined && !isFirstRound && this.#isFinal(this.#first, reason)) {
      this.#closed = true;
      this.#first.reject(reason);
      return;
    }
    this.#retryTimer = setTimeout(() => this.#open(), this.#pauseAfter(over, reason, isFirstRound));
  }

  /** Whether to give up waiting for the first session. */
  #isFinal({ once, mayBeRefused }: Required<ConnectHow>, { code, message }: SwfError) {
    return once || (!mayBeRefused && code === 'BROKER_REFUSED' && !this.#dialect.isHeldElsewhere(message));
  }

  /** Reports the trouble and returns the pause before the next attempt, in milliseconds. */
  #pauseAfter(over: StompSession, reason: SwfError, isFirstRound: boolean) {
    if (this.#dialect.isHeldElsewhere(reason.message)) {
      if (!this.#standsBy) this.#onTrouble(standingBy(this.#settings.clientId ?? ''));
      this.#standsBy = true;
      return standbyPause;
    }
    this.#onTrouble(reason, over.aliveAt);
    if (over.upMilliseconds() > Math.max(steadyMilliseconds, backoff(this.#failures + 1, pauses))) this.#failures = 0;
    const rest = backoff(this.#failures + 1, pauses) * (0.75 + Math.random() / 2);
    if (!isFirstRound) this.#failures += 1;
    return this.#first !== undefined && isFirstRound ? 0 : rest;
  }
}

const notUp = () => brokerUnreachable('not connected to the broker');

const standingBy = (name: string) =>
  brokerRefused(`another process is already subscribed as ${name}; this one waits, and takes over when the other ends`);
