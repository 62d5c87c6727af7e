import type { Only, StoreChoice, Subscription } from './connection.ts';
import type { DialectName } from './dialect-names.ts';

/** A destination in the broker's own words, with the headers that say what kind of place it is. */
export interface Place {
  destination: string;
  send: Record<string, string>;
  subscribe: Record<string, string>;
}

type Headers = Record<string, string>;

/**
 * The differences from broker to broker behind the same protocol. Each dialect is a file of its own and a line in `dialects.ts`. All facts are
 * those of the brokers' manuals and sources; the suite of `test/broker/` holds them for the real ones.
 */
export interface BrokerDialect {
  name: DialectName;
  /** Whether this is the broker that calls itself so in the header `server`. */
  isServer(server: string): boolean;
  /** Whether a subscription may choose messages by their headers. */
  hasSelectors: boolean;
  /** Where a destination is. The namespace is part of its name where nothing else keeps namespaces apart. */
  place(destination: string, namespace: string | undefined): Place;
  /** The headers of a SUBSCRIBE frame that choose messages. */
  choose(only: Only): Headers;
  /** How many unacknowledged messages may be under way. */
  window(messages: number): Headers;
  /** The headers of a SUBSCRIBE frame that make a subscription outlive its connection. */
  durable(name: string): Headers;
  /** The frames that remove a durable subscription of this connection's client id. */
  forget(name: string, subscribe: Headers): { command: 'SUBSCRIBE' | 'UNSUBSCRIBE'; headers: Headers }[];
  /** Whether a refusal means that there is no durable subscription to remove. */
  isNoSuchSubscription(message: string): boolean;
  /** Whether a refusal means that another connection has the same client id. */
  isHeldElsewhere(message: string): boolean;
  /**
   * The headers of a SUBSCRIBE frame that is taken where a topic's name stands for a queue, and refused where it does not. It takes no message. Undefined
   * where a topic cannot be a queue.
   */
  probeForQueue?(destination: string): Headers;
  expiry(seconds: number): Headers;
  /** The broker's own id of a delivered message, the same however often it delivers it; undefined where it has none. */
  messageId(headers: Readonly<Headers>): string | undefined;
  /**
   * The header by which a delivery is acknowledged. Programs of the existing testbed send a header `ack` of their own, which brokers pass on: Artemis puts its
   * own behind it, where STOMP's first one counts, and an ACK of theirs costs the connection.
   */
  acknowledgedBy: 'ack' | 'message-id';
  /**
   * How a delivery goes back to its queue. `resubscribe`: by ending the subscription, where NACK would destroy the message. `nack`: by NACK,
   * where the end of a subscription keeps the message from others.
   */
  giveBack: 'resubscribe' | 'nack';
  /** Whether it sends small frames only when what it sent before is acknowledged by the network (Nagle's algorithm). */
  holdsBackFrames: boolean;
  /** A broker may be silent for so many of its own heartbeat intervals. */
  silenceFactor: number;
}

/** A choice of messages as a selector of SQL-92, which JMS brokers read. */
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

/** The headers of a SUBSCRIBE frame, besides id, destination and ack. */
export function subscribeHeaders(dialect: BrokerDialect, subscription: Subscription): Headers {
  const { only, prefetch, durableName, destination } = subscription;
  const chosen = only?.();
  return {
    ...dialect.place(destination, chosen?.namespace).subscribe,
    ...(chosen === undefined ? {} : dialect.choose(chosen)),
    ...(prefetch === undefined ? {} : dialect.window(prefetch)),
    ...(durableName === undefined ? {} : dialect.durable(durableName)),
  };
}
