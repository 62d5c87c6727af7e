import { setMaxListeners } from 'node:events';

import stompit, { type Client, type Frame } from 'stompit';

import { brokerRefused, brokerUnreachable, hasCode, messageOf, type SwfError } from '../lib/errors.ts';
import { type BrokerAddress, showAddress } from './address.ts';
import type { BrokerSettings, Subscription } from './connection.ts';
import { type BrokerDialect, subscribeHeaders, activeMqClassic } from './dialects.ts';
import {
  acknowledgeAtOnce,
  asSwfError,
  connectOptions,
  receive,
  silenceMargin,
  type WireSubscription,
  disconnect,
} from './stomp-frames.ts';
import { asRefusal, createRequests, type Requests } from './stomp-requests.ts';
import { type ErrorFrame, replaceHandlers } from './stompit-repairs.ts';

const connectMilliseconds = 10_000;
const lastWordMilliseconds = 5;
/** How long a message may still arrive after the receipt for the end of its subscription, in milliseconds. */
const lateMilliseconds = 60_000;

interface SessionCallbacks {
  /** The dialect of a broker, by the name that the broker gives itself. */
  dialectOf: (server: string | undefined) => BrokerDialect;
  current: (id: string) => Subscription | undefined;
  /** Called when the broker has accepted us. */
  onConnected: () => void;
  /** Called when the session has ended or the broker refuses it. */
  onLost: (error: SwfError) => void;
}

/** Whether the other end reset the connection: what it had sent just before may be lost. */
const wasReset = (error: unknown) => ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

/** One session with one server, from connecting to its end. */
export class StompSession {
  client!: Client;
  readonly requests: Requests;
  readonly #settings: BrokerSettings;
  readonly address: BrokerAddress;
  readonly #callbacks: SessionCallbacks;
  /** Ends everything that waits for this session. */
  readonly #ended = new AbortController();
  #dialect: BrokerDialect = activeMqClassic;
  /** Subscriptions as the broker knows them, by id. */
  readonly #wire = new Map<string, WireSubscription>();
  /** Ended subscriptions that used no acknowledgements: a message may still be on its way to one. */
  readonly #endedCopies = new Set<string>();
  #subscribed = 0;
  #upSince: number | undefined;
  /** When the broker last sent anything, in milliseconds since 1970. */
  #dataAt: number | undefined;
  /**
   * Set when the session ends: the time up to which it certainly delivered everything. This is the end of the
   * session if the broker closed it, and the last data before a reset; undefined if the broker fell silent.
   */
  aliveAt: number | undefined;
  #muteTimer: NodeJS.Timeout | undefined;

  constructor(settings: BrokerSettings, address: BrokerAddress, callbacks: SessionCallbacks) {
    // Each send in flight adds a listener.
    setMaxListeners(0, this.#ended.signal);
    this.#settings = settings;
    this.address = address;
    this.#callbacks = callbacks;
    this.requests = createRequests(this.#ended.signal, showAddress(address), () => this.client, callbacks.onLost);
  }

  /** Whether all subscriptions are in place. */
  get isUp() {
    return this.#upSince !== undefined;
  }

  comeUp() {
    this.#upSince = performance.now();
  }

  /** How long the session has been up, in milliseconds; 0 if it never was. */
  upMilliseconds() {
    return this.#upSince === undefined ? 0 : performance.now() - this.#upSince;
  }

  open() {
    // A broker may send a reason and then close the connection immediately: read the whole reason first.
    const lost = (error: unknown) =>
      void setTimeout(() => this.#callbacks.onLost(asSwfError(error, this.address)), lastWordMilliseconds);
    try {
      this.client = stompit.connect(connectOptions(this.#settings, this.address), (error) => {
        if (error) return lost(error);
        clearTimeout(this.#muteTimer);
        const socket = this.client.getTransportSocket();
        socket.on('data', () => (this.#dataAt = Date.now()));
        // The client itself reports a closed connection, as an error.
        socket.on('end', () => (this.aliveAt ??= Date.now()));
        this.#callbacks.onConnected();
      });
    } catch (error) {
      this.client = { destroy: () => {} } as Client;
      lost(error);
      return;
    }
    // Without our own listeners, an error after CONNECTED would crash the process.
    this.client.on('error', (error: unknown) => {
      if (wasReset(error)) this.aliveAt ??= this.#dataAt;
      lost(error);
    });
    this.client.on('end', () => {
      this.aliveAt ??= Date.now();
      lost(new Error('the connection ended'));
    });
    replaceHandlers(this.client, {
      onServer: (server) => this.#meetServer(server),
      onError: (frame) => this.#refused(frame),
    });
    // stompit's own timeout covers only the TCP connection; we must notice a broker that accepts the connection but
    // stays silent.
    const mute = () => lost(new Error(`no answer within ${connectMilliseconds / 1000} s`));
    this.#muteTimer = setTimeout(mute, connectMilliseconds);
  }

  /** @param reason the error for everything that waits */
  end(reason: SwfError) {
    clearTimeout(this.#muteTimer);
    this.client.destroy();
    this.#ended.abort(reason);
  }

  /** Resolves when the subscription is in place. First ends any subscription with the same id. */
  subscribe(subscription: Subscription): Promise<void> {
    const { id, onMessage } = subscription;
    this.unsubscribe(id);
    this.#subscribed += 1;
    const wire = { id: `${id}-${this.#subscribed}`, isAcknowledged: subscription.ack === 'each', isEnded: false };
    this.#wire.set(id, wire);
    const ack = wire.isAcknowledged ? 'client-individual' : 'auto';
    this.client.setImplicitSubscription(wire.id, ack, (error, frame) => {
      if (error) return;
      const giveBack = (given: Frame) => this.#giveBack(id, given);
      const arrival = { client: this.client, dialect: this.#dialect, ended: this.#ended.signal, wire, frame };
      receive(arrival, { onMessage, giveBack });
    });
    // stompit's own subscribe() cannot request a receipt, and without a receipt, a message published right afterwards
    // could be missed.
    return this.requests.ask('SUBSCRIBE', { ...subscribeHeaders(this.#dialect, subscription), id: wire.id, ack });
  }

  /** Drops messages that are still in flight to the ended subscription: the broker redelivers them. */
  unsubscribe(id: string) {
    const wire = this.#wire.get(id);
    if (wire === undefined) return;
    this.#wire.delete(id);
    wire.isEnded = true;
    if (!wire.isAcknowledged) this.#endedCopies.add(wire.id);
    // Messages for the subscription may still arrive (from Artemis, even after the receipt), and stompit closes the
    // connection if it does not know a message's subscription.
    const forget = () => void delete this.client._subscriptions[wire.id];
    this.requests
      .ask('UNSUBSCRIBE', { id: wire.id })
      .then(() => setTimeout(forget, lateMilliseconds).unref())
      .catch(() => {});
  }

  #meetServer(server: string | undefined) {
    this.#dialect = this.#callbacks.dialectOf(server);
    const { silenceFactor, holdsBackFrames } = this.#dialect;
    this.client._heartbeatDelayMargin = silenceMargin(silenceFactor, this.#settings.heartbeatSeconds);
    if (holdsBackFrames) acknowledgeAtOnce(this.client);
  }

  /**
   * An ERROR frame that answers one of our frames refuses only that frame. Any other ERROR frame concerns the
   * session.
   */
  #refused({ sentence, receiptId }: ErrorFrame) {
    if (this.#endedCopies.has(this.#dialect.endedFor?.(sentence) ?? '')) return;
    const refusal = asRefusal(sentence, this.address);
    if (receiptId !== undefined && this.requests.refuse(receiptId, refusal)) return;
    this.aliveAt ??= Date.now();
    this.#callbacks.onLost(refusal);
  }

  #giveBack(id: string, frame: Frame) {
    const subscription = this.#callbacks.current(id);
    if (this.#dialect.giveBack === 'nack') this.client.nack(frame);
    else if (subscription === undefined) this.unsubscribe(id);
    else this.subscribe(subscription).catch((error: unknown) => this.#callbacks.onLost(error as SwfError));
  }
}

/**
 * Ensures that every reader of a topic gets copies: on Artemis a topic's name may denote a queue, and a
 * subscriber then takes messages from the queue's owner. Uses a separate session for the probe, since the
 * broker ends a session in which it refuses a frame. Rejects with `BROKER_REFUSED` if the name denotes a queue,
 * and with `BROKER_UNREACHABLE` if the probe fails.
 */
export async function requireCopies(
  settings: BrokerSettings,
  address: BrokerAddress,
  dialect: BrokerDialect,
  destination: string,
) {
  const headers = dialect.probeForQueue?.(destination);
  if (headers === undefined) return;
  const { clientId: _none, ...anonymous } = settings;
  if (await isTaken(anonymous, address, headers))
    throw brokerRefused(
      `${destination} is a queue on this broker: each message goes to a single reader, so an observer would take it from the owner of the queue; leave the queue out with --topics, or ask the broker's administrators for a copy`,
    );
}

/**
 * Artemis reports this error if the name denotes a topic: it does not create the subscription, since the probe has no
 * client id. Other refusals say nothing about the name.
 */
const refusesProbe = /creating subscription probe\b/i;

async function isTaken(settings: BrokerSettings, address: BrokerAddress, headers: Record<string, string>) {
  let session!: StompSession;
  let isAsked = false;
  try {
    await new Promise<void>((resolve, reject) => {
      session = new StompSession(settings, address, {
        dialectOf: () => activeMqClassic,
        current: () => undefined,
        onConnected: () => {
          isAsked = true;
          session.requests.ask('SUBSCRIBE', headers).then(resolve, reject);
        },
        onLost: reject,
      });
      session.open();
    });
    await disconnect(session.client);
    return true;
  } catch (error) {
    if (isAsked && hasCode(error, 'BROKER_REFUSED') && refusesProbe.test(error.message)) return false;
    throw brokerUnreachable(
      `not subscribed to ${headers['destination']}: the broker did not report whether it is a queue (${messageOf(error)})`,
      { cause: error },
    );
  } finally {
    session.end(brokerUnreachable('the probe has ended'));
  }
}
