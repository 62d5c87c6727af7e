import type { SwfError } from '../lib/errors.ts';
import type { BrokerAddress } from './address.ts';

export interface BrokerSettings {
  /** A failover list. */
  servers: BrokerAddress[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates to trust, as PEM. */
  ca?: string | undefined;
  /** Requested heartbeat interval, in both directions. */
  heartbeatSeconds: number;
  /** Needed for a durable subscription. */
  clientId?: string | undefined;
  /** The kind of broker; by default, as the broker identifies itself. */
  dialect?: DialectName | undefined;
  /** RabbitMQ's virtual host; by default, RabbitMQ's own default. */
  vhost?: string | undefined;
}

/**
 * A message as a broker delivers it. The connection does not parse its body (`exchange/wire.ts` does): other
 * programs use their own formats.
 */
export interface Delivery {
  headers: Readonly<Record<string, string>>;
  /** The broker's own id for the message, the same at every delivery; undefined if the broker has none. */
  id: string | undefined;
  /** The body as text, with U+FFFD for invalid UTF-8; only its beginning if it is too large. */
  body: string;
  /** The body; only its beginning if it is too large. */
  bytes: Buffer;
  /** Size of the whole body, in bytes. */
  size: number;
  isWhole: boolean;
  /** Hex digest of the whole body, if the body is too large to keep. */
  sha256?: string | undefined;
  /**
   * Acknowledges the message. Does nothing once the delivery's session has ended.
   * @param onConfirmed called when the broker confirms that it will not deliver the message again
   */
  acknowledge(onConfirmed?: () => void): void;
  /**
   * Lets the broker redeliver the message, to another consumer or to us. Does nothing once the session has
   * ended.
   */
  giveBack(): void;
  /**
   * Aborted when the delivery's session has ended: the broker then redelivers the message, perhaps to another
   * process.
   */
  lost: AbortSignal;
}

/**
 * Selects messages by their `store_id` header: with one recorder's id, with that id or without the header, or
 * with any id.
 */
export type StoreChoice = { is: string } | { isOrNone: string } | 'named';

/** Which messages a subscription selects from its destination. All conditions must hold. */
export interface Only {
  /** Messages of this namespace; if left out, messages without a namespace in their headers. */
  namespace?: string;
  /** Messages from other programs name no store, so a selection by store excludes them. */
  store?: StoreChoice;
  /** Messages of this execution. */
  execution?: string;
  /** Excludes messages whose header has one of these values. Messages without the header are included. */
  not?: Readonly<Record<string, readonly string[]>>;
}

export interface Subscription {
  /** Unique among the subscriptions of a connection. */
  id: string;
  destination: string;
  /** When a message counts as handled. `each`: when it is acknowledged. `auto`: when it is delivered. */
  ack: 'auto' | 'each';
  /**
   * Called whenever we subscribe; if left out, all messages are selected. A broker without selectors honors
   * only the namespace, as part of the destination's name, so the reader must apply the other conditions.
   */
  only?: () => Only;
  /** How many unacknowledged messages the broker may have in flight to us. */
  prefetch?: number;
  /**
   * Whether we need copies of messages: if each message goes to only one reader, the subscription is refused,
   * since we would take messages that are meant for others.
   */
  copiesOnly?: boolean;
  /**
   * The name under which the broker keeps messages while no one is subscribed. The connection needs a client
   * id.
   */
  durableName?: string;
  onMessage: (delivery: Delivery) => void;
}

/** The parts of a durable subscription needed to remove it. */
export type DurablePlace = Pick<Subscription, 'destination' | 'only'> & { durableName: string };

/**
 * An outgoing message. On brokers without selectors, its `namespace` header is also part of its destination.
 */
export interface Outgoing {
  destination: string;
  headers: Record<string, string>;
  body: string;
  /** Seconds after which the broker may discard the message; if omitted, never. */
  expirySeconds?: number | undefined;
}

/** How to continue if the first round of attempts fails. */
export interface ConnectHow {
  /** Whether to give up after the first round. */
  once: boolean;
  /** Whether to retry even if the broker refuses us, and not only if it cannot be reached. True by default. */
  mayBeRefused?: boolean;
}

/**
 * A message broker connection that reconnects after a break. `stomp-connection.ts` implements it; tests use a
 * broker in memory.
 */
export interface BrokerConnection {
  /**
   * Resolves when the first session is up. Rejects with `BROKER_UNREACHABLE` or `BROKER_REFUSED` if no server
   * in the list accepts us in the first round, and `how` does not request more attempts.
   */
  connect(how: ConnectHow): Promise<void>;
  isUp(): boolean;
  /** Whether the broker honors `Only` beyond the namespace. Known once a session has been up. */
  hasSelectors(): boolean;
  /** Calls back each time a session comes up, once all subscriptions are in place. */
  onUp(callback: () => void): void;
  /** Subscribes in this session and in every later one. */
  subscribe(subscription: Subscription): void;
  unsubscribe(id: string): void;
  /**
   * Removes a durable subscription that has no subscriber. Returns false if the broker had no such
   * subscription. Rejects with `BROKER_UNREACHABLE` while there is no session.
   */
  forget(subscription: DurablePlace): Promise<boolean>;
  /**
   * Resolves when the broker's receipt arrives. Rejects with `BROKER_REFUSED` if the broker refuses this
   * message, and with either `BROKER_REFUSED` or `BROKER_UNREACHABLE` if the session ends first.
   */
  send(message: Outgoing): Promise<void>;
  close(): Promise<void>;
}

/**
 * Called whenever the connection breaks or an attempt to connect fails.
 * @param aliveAt the time up to which the broken connection certainly delivered everything, in milliseconds since
 *   1970; undefined if the broker fell silent
 */
export type OnTrouble = (error: SwfError, aliveAt?: number) => void;

export type Connect = (settings: BrokerSettings, onTrouble: OnTrouble) => BrokerConnection;

export const dialectNames = ['activemq', 'artemis', 'rabbitmq'] as const;

export type DialectName = (typeof dialectNames)[number];
