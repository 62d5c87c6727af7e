import type { Only, StoreChoice, Subscription, DialectName } from './connection.ts';

/** A destination by the broker's own name, with the headers that state its kind. */
export interface Place {
  destination: string;
  send: Record<string, string>;
  subscribe: Record<string, string>;
}

type Headers = Record<string, string>;

/**
 * The differences between brokers behind the same protocol. `dialects.ts` holds them. All facts come from the
 * brokers' manuals and sources; the suite in `test/broker/` checks them against real brokers.
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
  /** Whether a refusal means that another connection has the same client id. */
  isHeldElsewhere(message: string): boolean;
  /**
   * SUBSCRIBE headers that the broker accepts if a topic's name denotes a queue, and refuses otherwise. The subscription takes no message. Undefined
   * if a topic cannot be a queue.
   */
  probeForQueue?(destination: string): Headers;
  expiry(seconds: number): Headers;
  /** The broker's own id of a delivered message, the same at every delivery; undefined if it has none. */
  messageId(headers: Readonly<Headers>): string | undefined;
  /**
   * The header that acknowledges a delivery. Programs of the existing testbed send an `ack` header of their own, which brokers pass on: Artemis
   * appends its own after it, but in STOMP the first one counts, and an ACK with theirs costs the connection.
   */
  acknowledgedBy: 'ack' | 'message-id';
  /**
   * How to return a delivery to its queue. `resubscribe`: end the subscription, since NACK would destroy the message. `nack`: NACK, since ending a
   * subscription would keep the message from others.
   */
  giveBack: 'resubscribe' | 'nack';
  /** Whether it holds back small frames until the network acknowledges its earlier data (Nagle's algorithm). */
  holdsBackFrames: boolean;
  /** How many of its own heartbeat intervals the broker may be silent. */
  silenceFactor: number;
}

/** A message choice as an SQL-92 selector, which JMS brokers read. */
export function selectorOf({ namespace, store, execution, not = {} }: Only): string {
  const quoted = (values: readonly string[]): string =>
    values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
  const unwanted = Object.entries(not).filter(([, values]) => values.length > 0);
  return [
    namespace === undefined ? 'namespace IS NULL' : `namespace = '${namespace}'`,
    ...(store === undefined ? [] : [storeCondition(store)]),
    ...(execution === undefined ? [] : [`execution_id = '${execution}'`]),
    ...unwanted.map(([header, values]) => `(${header} NOT IN (${quoted(values)}) OR ${header} IS NULL)`),
  ].join(' AND ');
}

function storeCondition(store: StoreChoice): string {
  if (store === 'named') return 'store_id IS NOT NULL';
  return 'is' in store ? `store_id = '${store.is}'` : `(store_id = '${store.isOrNone}' OR store_id IS NULL)`;
}

/** The headers of a SUBSCRIBE frame, besides id and ack. */
export function subscribeHeaders(
  dialect: BrokerDialect,
  { only, prefetch, durableName, destination }: Pick<Subscription, 'only' | 'prefetch' | 'durableName' | 'destination'>,
): Headers {
  const chosen = only?.();
  const place = dialect.place(destination, chosen?.namespace);
  return {
    ...place.subscribe,
    ...(chosen === undefined ? {} : dialect.choose(chosen)),
    ...(prefetch === undefined ? {} : dialect.window(prefetch)),
    ...(durableName === undefined ? {} : dialect.durable(durableName)),
    destination: place.destination,
  };
}
