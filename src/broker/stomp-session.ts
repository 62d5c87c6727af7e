import { setMaxListeners } from 'node:events';

import stompit, { type Client, type Frame } from 'stompit';

import { SwfError, brokerRefused, brokerUnreachable, messageOf } from '../lib/errors.ts';
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
/** How long a message may come after the receipt that ended its subscription. */
const lateMilliseconds = 60_000;

interface SessionCallbacks {
  /** The dialect of a broker, by the name that the broker gives itself. */
  dialectOf: (server: string | undefined) => BrokerDialect;
  current: (id: string) => Subscription | undefined;
  /** Called when the broker has let us in. */
  onConnected: () => void;
  /** Called when the session has ended or the broker refuses it. */
  onLost: (error: SwfError) => void;
}

/** Whether the other end broke the connection off: what it had sent just before may be lost. */
const wasReset = (error: unknown) => ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

export type StompSession = ReturnType<typeof createSession>;

/** One session with one server, from connecting to its end. */
export function createSession(settings: BrokerSettings, address: BrokerAddress, callbacks: SessionCallbacks) {
  /** Ends everything that waits for this session. */
  const ended = new AbortController();
  // One listener per send in flight.
  setMaxListeners(0, ended.signal);
  let client!: Client;
  let dialect: BrokerDialect = activeMqClassic;
  let upSince: number | undefined;
  let muteTimer: NodeJS.Timeout | undefined;
  const signs = createSigns();
  const requests = createRequests(ended.signal, showAddress(address), () => client, callbacks.onLost);
  const wire = createWire({ callbacks, requests, ended: ended.signal, client: () => client, dialect: () => dialect });

  function meetServer(server: string | undefined) {
    dialect = callbacks.dialectOf(server);
    client._heartbeatDelayMargin = silenceMargin(dialect.silenceFactor, settings.heartbeatSeconds);
    if (dialect.holdsBackFrames) acknowledgeAtOnce(client);
  }

  /**
   * An ERROR frame that answers one of our frames refuses only that frame. Any other concerns the session.
   */
  function refused({ sentence, receiptId }: ErrorFrame) {
    const refusal = asRefusal(sentence, address);
    if (receiptId !== undefined && requests.refuse(receiptId, refusal)) return;
    signs.noteEnd();
    callbacks.onLost(refusal);
  }

  return {
    address,
    requests,
    client: () => client,
    /**
     * Up to when it certainly brought everything, once it has ended: a broker that closed it had sent all
     * before. Undefined if it fell silent.
     */
    aliveAt: signs.aliveAt,
    /** Whether all subscriptions are in place. */
    isUp: () => upSince !== undefined,
    comeUp() {
      upSince = performance.now();
    },
    /** How long it has been up; 0 if it never was. */
    upMilliseconds: () => (upSince === undefined ? 0 : performance.now() - upSince),
    open() {
      // A broker may send a reason and close at once: read it to the end first.
      const lost = (error: unknown) =>
        void setTimeout(() => callbacks.onLost(asSwfError(error, address)), lastWordMilliseconds);
      try {
        client = stompit.connect(connectOptions(settings, address), (error) => {
          if (error) return lost(error);
          clearTimeout(muteTimer);
          signs.watch(client);
          callbacks.onConnected();
        });
      } catch (error) {
        client = { destroy: () => {} } as Client;
        return lost(error);
      }
      // Without our own listeners, an error after CONNECTED would crash the process.
      client.on('error', (error: unknown) => {
        signs.noteError(error);
        lost(error);
      });
      client.on('end', () => {
        signs.noteEnd();
        lost(new Error('the connection ended'));
      });
      replaceHandlers(client, { onServer: meetServer, onError: refused });
      // stompit's own timeout covers only the TCP connection; we must notice a broker that accepts and stays
      // silent.
      const mute = () => lost(new Error(`no answer within ${connectMilliseconds / 1000} s`));
      muteTimer = setTimeout(mute, connectMilliseconds);
    },
    /** @param reason the error for everything that waits */
    end(reason: SwfError) {
      clearTimeout(muteTimer);
      client.destroy();
      ended.abort(reason);
    },
    subscribe: wire.subscribe,
    unsubscribe: wire.unsubscribe,
  };
}

/** When the broker was last heard. */
function createSigns() {
  /** In milliseconds since 1970. */
  let dataAt: number | undefined;
  let aliveAt: number | undefined;
  const noteEnd = () => {
    aliveAt ??= Date.now();
  };
  return {
    aliveAt: () => aliveAt,
    noteEnd,
    noteError(error: unknown) {
      if (wasReset(error)) aliveAt ??= dataAt;
    },
    watch(client: Client) {
      const socket = client.getTransportSocket();
      socket.on('data', () => (dataAt = Date.now()));
      // The client reports a closed connection as its own error.
      socket.on('end', noteEnd);
    },
  };
}

interface WireOptions {
  callbacks: SessionCallbacks;
  requests: Requests;
  ended: AbortSignal;
  client: () => Client;
  dialect: () => BrokerDialect;
}

/** The subscriptions of a session. */
function createWire({ callbacks, requests, ended, client, dialect }: WireOptions) {
  /** By their ids, as the broker knows them. */
  const known = new Map<string, WireSubscription>();
  let subscribed = 0;

  /** Resolves when the subscription is in place. Ends a subscription with the same id first. */
  function subscribe(subscription: Subscription) {
    const { id, onMessage } = subscription;
    unsubscribe(id);
    subscribed += 1;
    const wire: WireSubscription = { id: `${id}-${subscribed}`, isEnded: false };
    known.set(id, wire);
    const mustAcknowledge = subscription.ack === 'each';
    const ack = mustAcknowledge ? 'client-individual' : 'auto';
    client().setImplicitSubscription(wire.id, ack, (error, frame) => {
      if (error) return;
      const arrival = { client: client(), dialect: dialect(), ended, wire, frame };
      receive(arrival, mustAcknowledge, { onMessage, giveBack: (given) => giveBack(id, given) });
    });
    // stompit's own subscribe() cannot ask for a receipt, and without a receipt, a message published next can
    // be missed.
    return requests.ask('SUBSCRIBE', { ...subscribeHeaders(dialect(), subscription), id: wire.id, ack });
  }

  /** Drops messages that are still in flight to the ended subscription: the broker redelivers them. */
  function unsubscribe(id: string) {
    const wire = known.get(id);
    if (wire === undefined) return;
    known.delete(id);
    wire.isEnded = true;
    // Messages may still arrive for it, from Artemis even after the receipt, and stompit closes the
    // connection on an unknown subscription.
    const forget = () => void delete client()._subscriptions[wire.id];
    requests
      .ask('UNSUBSCRIBE', { id: wire.id })
      .then(() => setTimeout(forget, lateMilliseconds).unref())
      .catch(() => {});
  }

  function giveBack(id: string, frame: Frame) {
    const subscription = callbacks.current(id);
    if (dialect().giveBack === 'nack') client().nack(frame);
    else if (subscription === undefined) unsubscribe(id);
    else subscribe(subscription).catch((error: unknown) => callbacks.onLost(error as SwfError));
  }

  return { subscribe, unsubscribe };
}

/**
 * Ensures that every reader of a topic gets copies: on Artemis a topic's name may denote a queue, and a
 * subscriber then takes messages from its owner. Probes in a separate session, since the broker ends the
 * session of a refused frame. Rejects with `BROKER_REFUSED` if it is a queue, with `BROKER_UNREACHABLE` if
 * the probe fails.
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
      `${destination} is a queue on this broker: each message goes to a single reader, so an observer would take it from its owner; leave it out with --topics, or ask the broker's administrators for a copy of it`,
    );
}

/**
 * Artemis's words for a subscription that it does not create: for a topic the probe lacks a client id. Other
 * refusals say nothing about the name.
 */
const refusesProbe = /creating subscription probe\b/i;

async function isTaken(settings: BrokerSettings, address: BrokerAddress, headers: Record<string, string>) {
  let session!: StompSession;
  let isAsked = false;
  try {
    await new Promise<void>((resolve, reject) => {
      session = createSession(settings, address, {
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
    await disconnect(session.client());
    return true;
  } catch (error) {
    if (isAsked && error instanceof SwfError && error.code === 'BROKER_REFUSED' && refusesProbe.test(error.message))
      return false;
    throw brokerUnreachable(
      `not subscribed to ${headers['destination']}: the broker did not report whether it is a queue (${messageOf(error)})`,
      { cause: error },
    );
  } finally {
    session.end(brokerUnreachable('the probe has ended'));
  }
}
