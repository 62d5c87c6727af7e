import type { SwfError } from '../lib/errors.ts';
import type { BrokerAddress } from './address.ts';
import type { DialectName } from './dialect-names.ts';

export interface BrokerSettings {
  /** A failover list. */
  servers: BrokerAddress[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates to trust, as PEM. */
  ca?: string | undefined;
  /** Heartbeats asked for, both ways. */
  heartbeatSeconds: number;
  /** Needed for a durable subscription. */
  clientId?: string | undefined;
  /** The kind of broker; left out, the broker's own word tells. */
  dialect?: DialectName | undefined;
  /** RabbitMQ's virtual host; left out, its default one. */
  vhost?: string | undefined;
}

/** A message as a broker delivers it. Its body is read behind the connection (`exchange/decoding.ts`): other programs have words of their own. */
export interface Delivery {
  headers: Readonly<Record<string, string>>;
  /** The broker's own id of the message, the same however often it is delivered; undefined where the broker has none. */
  id: string | undefined;
  /** The whole body as text, with U+FFFD for what is no UTF-8; of one that is too large, its beginning. */
  body: string;
  /** The whole body; of one that is too large, its beginning. */
  bytes: Buffer;
  /** Of the whole body, in bytes. */
  size: number;
  isWhole: boolean;
  /** Of the whole body, in hex, where that is too large to be kept. */
  sha256?: string;
  /**
   * Tells the broker that the message is dealt with. It does nothing once the session of the delivery is over.
   * @param onConfirmed called when the broker says that it will not deliver it again
   */
  acknowledge(onConfirmed?: () => void): void;
  /** Lets the broker hand the message to somebody else, or to us again. It does nothing once the session is over. */
  giveBack(): void;
  /** Aborted when the session of the delivery is over: the broker delivers the message again then, perhaps to another process. */
  lost: AbortSignal;
}

/** A choice of messages by their header `store_id`: one recorder's, one recorder's and those that name none, or all that name one. */
export type StoreChoice = { is: string } | { isOrNone: string } | 'named';

/** The messages of a destination that a subscription is for. All conditions hold together. */
export interface Only {
  /** Of this namespace. Where it is left out, those that name none in their headers. */
  namespace?: string;
  /** Programs of other makes name no store, and keep what is theirs. */
  store?: StoreChoice;
  /** Of this execution. */
  execution?: string;
  /** Not those whose header has one of these values. One that has no such header is meant. */
  not?: Readonly<Record<string, readonly string[]>>;
}

export interface Subscription {
  /** Unique in its connection. */
  id: string;
  destination: string;
  /** `each`: a message is dealt with when it is acknowledged. `auto`: when it is delivered. */
  ack: 'auto' | 'each';
  /**
   * Asked at each subscribing. A broker without selectors delivers others too, which the reader has to tell apart: there only the namespace
   * holds, as a part of the destination's name. All messages, where it is left out.
   */
  only?: () => Only;
  /** Messages that the broker may have under way to us unacknowledged. */
  prefetch?: number;
  /** It wants copies: refused where each message of the destination goes to one reader, since it would be taken from its owner. */
  copiesOnly?: boolean;
  /** Under this name the broker keeps messages while nobody listens. The connection needs a client id. */
  durableName?: string;
  onMessage: (delivery: Delivery) => void;
}

/** A durable subscription, as far as it has to be known to remove it. */
export type DurablePlace = Pick<Subscription, 'destination' | 'only'> & { durableName: string };

/** A message that goes out. Its header `namespace` is also its place on brokers without selectors. */
export interface Outgoing {
  destination: string;
  headers: Record<string, string>;
  body: string;
  /** The broker may throw it away after so many seconds; never, where it is left out. */
  expirySeconds?: number | undefined;
}

/** The ways to go on where the first round of tries fails. */
export interface ConnectHow {
  /** It is not tried again. */
  once: boolean;
  /** It is tried again also where we are not let in; otherwise only where no broker is there. True, where it is left out. */
  mayBeRefused?: boolean;
}

/** A connection to a message broker that comes back after a break. `stomp-connection.ts` implements it, and in tests a broker in memory. */
export interface BrokerConnection {
  /**
   * Resolves when the first session is up. Rejects with `BROKER_UNREACHABLE` or `BROKER_REFUSED` when no server of the list lets us in at the
   * first round, as far as it is not to be tried again then.
   */
  connect(how: ConnectHow): Promise<void>;
  isUp(): boolean;
  /** Whether `Only` holds beyond the namespace. Known once a session has been up. */
  hasSelectors(): boolean;
  /** Calls back each time a session has come up, with all subscriptions in place. */
  onUp(callback: () => void): void;
  /** Subscribes in this session and in every later one. */
  subscribe(subscription: Subscription): void;
  unsubscribe(id: string): void;
  /**
   * Removes a durable subscription that nobody listens to. False where the broker says that there was none. Rejects with `BROKER_UNREACHABLE`
   * while there is no session.
   */
  forget(subscription: DurablePlace): Promise<boolean>;
  /**
   * Resolves at the broker's receipt. Rejects with `BROKER_REFUSED` where the broker does not take this message, and with either code when the
   * session ends before the receipt.
   */
  send(message: Outgoing): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes a connection.
 * @param onTrouble told of each break and each failed try
 */
export type Connect = (settings: BrokerSettings, onTrouble: (error: SwfError) => void) => BrokerConnection;
