import type { Only, StoreChoice, Subscription, DialectName } from './connection.ts';

/** A destination under the name that the broker uses, with the headers that state its kind. */
interface Place {
  destination: string;
  send: Record<string, string>;
  subscribe: Record<string, string>;
}

type Headers = Record<string, string>;

/**
 * The differences between brokers that speak the same protocol. The facts come from the brokers' manuals and sources;
 * the suite in `test/broker/` checks them against real brokers.
 */
export interface BrokerDialect {
  name: DialectName;
  /** Whether the header `server` names this broker. */
  isServer(server: string): boolean;
  /** Whether a subscription may choose messages by their headers. */
  hasSelectors: boolean;
  /** The broker's form of a destination. Its name includes the namespace if nothing else separates namespaces. */
  place(destination: string, namespace: string | undefined): Place;
  /** SUBSCRIBE headers that select messages. */
  choose(only: Only): Headers;
  /** SUBSCRIBE headers that limit the unacknowledged messages in flight. */
  window(messages: number): Headers;
  /** SUBSCRIBE headers that make a subscription outlive its connection. */
  durable(name: string): Headers;
  /** The frames that remove a durable subscription of this connection's client id. */
  forget(name: string, subscribe: Headers): { command: 'SUBSCRIBE' | 'UNSUBSCRIBE'; headers: Headers }[];
  /** Whether a refusal means that there is no durable subscription to remove. */
  isNoSuchSubscription(message: string): boolean;
  /**
   * The id of the ended subscription, if a refusal concerns only a message that was still on its way to that
   * subscription. Undefined if the broker never refuses for this reason.
   */
  endedFor?(message: string): string | undefined;
  /** Whether a refusal means that another connection has the same client id. */
  isHeldElsewhere(message: string): boolean;
  /**
   * SUBSCRIBE headers that the broker accepts if a topic's name denotes a queue, and refuses otherwise. The
   * subscription receives no messages. Undefined if a topic cannot be a queue.
   */
  probeForQueue?(destination: string): Headers;
  expiry(seconds: number): Headers;
  /** The broker's own id of a delivered message, the same at every delivery; undefined if the broker assigns none. */
  messageId(headers: Readonly<Headers>): string | undefined;
  /**
   * The header that acknowledges a delivery. Programs of the existing testbed send their own `ack` header, which
   * brokers pass on: Artemis appends a second `ack` header, but in STOMP the first one counts, and an ACK with the
   * programs' value makes the broker close the connection.
   */
  acknowledgedBy: 'ack' | 'message-id';
  /**
   * How to return a delivery to its queue. `resubscribe`: end the subscription, since NACK would destroy the message.
   * `nack`: send NACK, since ending a subscription would keep the message from others.
   */
  giveBack: 'resubscribe' | 'nack';
  /**
   * Whether the broker holds back small frames until the network acknowledges its earlier data (Nagle's algorithm).
   */
  holdsBackFrames: boolean;
  /** For how many of its own heartbeat intervals the broker may be silent. */
  silenceFactor: number;
}

/** The selection of messages as an SQL-92 selector for JMS brokers. */
function selectorOf({ namespace, store, execution, not = {} }: Only) {
  const quoted = (values: readonly string[]) => values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
  const unwanted = Object.entries(not).filter(([, values]) => values.length > 0);
  return [
    namespace === undefined ? 'namespace IS NULL' : `namespace = '${namespace}'`,
    ...(store === undefined ? [] : [storeCondition(store)]),
    ...(execution === undefined ? [] : [`execution_id = '${execution}'`]),
    ...unwanted.map(([header, values]) => `(${header} NOT IN (${quoted(values)}) OR ${header} IS NULL)`),
  ].join(' AND ');
}

function storeCondition(store: StoreChoice) {
  if (store === 'named') return 'store_id IS NOT NULL';
  return 'is' in store ? `store_id = '${store.is}'` : `(store_id = '${store.isOrNone}' OR store_id IS NULL)`;
}

/** The headers of a SUBSCRIBE frame, besides id and ack. */
export function subscribeHeaders(
  dialect: BrokerDialect,
  { only, prefetch, durableName, destination }: Pick<Subscription, 'only' | 'prefetch' | 'durableName' | 'destination'>,
) {
  const chosen = only?.();
  const place = dialect.place(destination, chosen?.namespace);
  return {
    ...place.subscribe,
    ...(chosen && dialect.choose(chosen)),
    ...(prefetch === undefined ? {} : dialect.window(prefetch)),
    ...(durableName === undefined ? {} : dialect.durable(durableName)),
    destination: place.destination,
  };
}

/** The behaviour that JMS brokers have in common. @param nameHeader the header that names a durable subscription */
const jms = (nameHeader: string) =>
  ({
    hasSelectors: true,
    choose: (only: Only) => ({ selector: selectorOf(only) }),
    durable: (name: string) => ({ [nameHeader]: name }),
    forget: (name: string) => [{ command: 'UNSUBSCRIBE', headers: { id: 'durable', [nameHeader]: name } }],
    expiry: (seconds: number) => ({ expires: String(Date.now() + seconds * 1000) }),
    // NACK moves the message to the dead-letter queue, or counts as ACK.
    giveBack: 'resubscribe',
  }) satisfies Partial<BrokerDialect>;

/**
 * The behaviour that Artemis and RabbitMQ share: connections can share a client id, or a durable subscription's
 * queue.
 */
const sharing = {
  isNoSuchSubscription: () => false,
  isHeldElsewhere: () => false,
  holdsBackFrames: false,
  silenceFactor: 1.2,
};

/** ActiveMQ Classic 5 and 6 (its STOMP page documents the `activemq.` headers). */
export const activeMqClassic: BrokerDialect = {
  ...jms('activemq.subscriptionName'),
  name: 'activemq',
  isServer: (server) => /^ActiveMQ\//i.test(server),
  place: (destination) => ({ destination, send: {}, subscribe: {} }),
  window: (messages) => ({ 'activemq.prefetchSize': String(messages) }),
  // The broker sends no error codes, only texts: "No durable subscription exists for: …", "… already connected from
  // …".
  isNoSuchSubscription: (message) => /durable/i.test(message),
  isHeldElsewhere: (message) => /already connected/i.test(message),
  messageId: (headers) => headers['message-id'],
  acknowledgedBy: 'ack',
  // The broker's option transport.tcpNoDelay is off by default.
  holdsBackFrames: true,
  // The broker pings only if it has sent nothing since its last check, so it may be silent for up to twice the
  // interval.
  silenceFactor: 2.2,
};

/** Maximum number of unacknowledged bytes in flight, if more than one message may be in flight. */
const wideWindow = 4_194_304;

/**
 * Apache Artemis 2. Its manual's chapter on STOMP documents the headers. A stock broker treats every name as a topic,
 * so each frame names the kind of destination that it means; acceptor prefixes and existing addresses are compatible
 * with that.
 */
const artemis: BrokerDialect = {
  ...jms('durable-subscription-name'),
  ...sharing,
  name: 'artemis',
  isServer: (server) => /artemis/i.test(server),
  place: placeOf,
  // The broker counts bytes; a window of 1 byte means one message at a time.
  window: (messages) => ({ 'consumer-window-size': String(messages === 1 ? 1 : wideWindow) }),
  probeForQueue: (destination) => ({
    ...placeOf(destination).subscribe,
    destination,
    id: 'probe',
    ack: 'auto',
    // A durable subscription to a topic needs a client id, which this connection lacks; for a queue, this header has
    // no meaning.
    'durable-subscription-name': 'probe',
    selector: '1 = 0',
  }),
  messageId: idOf,
  acknowledgedBy: 'message-id',
};

function placeOf(destination: string) {
  const type = destination.startsWith('/queue/') ? 'ANYCAST' : 'MULTICAST';
  return { destination, send: { 'destination-type': type }, subscribe: { 'subscription-type': type } };
}

/**
 * The broker's header `message-id` holds the numbers of the consumer and the message, as in `27,24`. Message
 * numbers restart if the broker loses its disk, so the id also contains the time.
 */
function idOf({ 'message-id': id, timestamp }: Readonly<Record<string, string>>) {
  return id && `${timestamp ?? ''}-${id.slice(id.lastIndexOf(',') + 1)}`;
}

/**
 * How long the queue of a durable subscription keeps a message, and how long the queue outlives its readers, in
 * milliseconds.
 */
const keptMilliseconds = 24 * 3_600_000;
const unusedMilliseconds = 7 * keptMilliseconds;

/** Whether a name belongs to `doctor`. */
const isTrial = (name: string) => /swf[.-](?:mcp-)?doctor/.test(name);

/** RabbitMQ 3.13 and 4 with its STOMP plugin. It has no selectors, so the namespace is part of every name. */
const rabbitMq: BrokerDialect = {
  ...sharing,
  name: 'rabbitmq',
  isServer: (server) => /^RabbitMQ\//i.test(server),
  hasSelectors: false,
  place(destination, namespace) {
    const name = namespace === undefined ? destination : `${destination}.${namespace}`;
    // A queue made by `doctor` disappears with its last reader.
    const tried =
      name.startsWith('/queue/') && isTrial(name)
        ? { durable: 'false', 'auto-delete': 'true', exclusive: 'false' }
        : {};
    return { destination: name, send: tried, subscribe: tried };
  },
  choose: () => ({}),
  window: (messages) => ({ 'prefetch-count': String(messages) }),
  durable: (name) => ({
    durable: 'true',
    'auto-delete': 'false',
    'x-queue-name': name,
    'x-message-ttl': String(keptMilliseconds),
    'x-expires': String(unusedMilliseconds),
  }),
  // Only a subscription made in this session can be removed permanently.
  forget: (name, subscribe) => [
    { command: 'SUBSCRIBE', headers: subscribe },
    {
      command: 'UNSUBSCRIBE',
      headers: { id: 'durable', durable: 'true', 'auto-delete': 'false', 'x-queue-name': name },
    },
  ],
  endedFor: (message) => /There is no current subscription with tag 'T_(.+)'/.exec(message)?.[1],
  expiry: (seconds) => ({ expiration: String(Math.round(seconds * 1000)) }),
  // The broker's header `message-id` identifies the delivery, not the message.
  messageId: () => undefined,
  acknowledgedBy: 'ack',
  // When a subscription ends, its unacknowledged messages stay with the session.
  giveBack: 'nack',
};

/** Every kind of broker. A new kind does not compile without a line here. */
export const dialects: Readonly<Record<DialectName, BrokerDialect>> = {
  activemq: activeMqClassic,
  artemis,
  rabbitmq: rabbitMq,
};

/**
 * Finds the dialect of a broker by the name that the broker reports.
 * @param server a header of the CONNECTED frame; a broker that omits the header counts as ActiveMQ Classic
 */
export const dialectOfServer = (server: string | undefined) =>
  Object.values(dialects).find((dialect) => server !== undefined && dialect.isServer(server)) ?? activeMqClassic;
