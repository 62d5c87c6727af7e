import type { SwfError } from '../lib/errors.ts';
import type { Decoded } from '../messages/codec.ts';
import type { BrokerAddress } from './address.ts';

export interface BrokerSettings {
  /** A failover list. */
  servers: BrokerAddress[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates to trust, as PEM. */
  ca?: string | undefined;
  /** Heartbeats asked for, both ways. */
  heartbeatSeconds: number;
  /** Needed for a durable subscription. A broker gives an id to one connection at a time. */
  clientId?: string | undefined;
}

/** A message as a broker delivers it. It is decoded once, here at the edge. */
export interface Delivery {
  headers: Readonly<Record<string, string>>;
  body: string;
  /** The content of the body. One that is too large is rejected, and `body` is its beginning. */
  decoded: Decoded;
  /** Tells the broker that the message is dealt with. It does nothing once the session of the delivery is over. */
  acknowledge(): void;
  /** Aborted when the session of the delivery is over: the broker delivers the message again then, perhaps to another process. */
  lost: AbortSignal;
}

export interface Subscription {
  /** Unique in its connection. */
  id: string;
  destination: string;
  /** `each`: a message is dealt with when it is acknowledged. `auto`: when it is delivered. */
  ack: 'auto' | 'each';
  /** Only messages of this namespace are delivered; all, where it is left out. */
  namespace?: string;
  /** Messages that the broker may have under way to us unacknowledged. */
  prefetch?: number;
  /** Under this name the broker keeps messages while nobody listens. The connection needs a client id. */
  durableName?: string;
  onMessage: (delivery: Delivery) => void;
}

/** A connection to a message broker that comes back after a break. `stomp-connection.ts` and `memory-broker.ts` implement it. */
export interface BrokerConnection {
  /**
   * Resolves when the first session is up. With `once` it rejects with `BROKER_UNREACHABLE` or `BROKER_REFUSED` when no server of the
   * list lets us in at the first round.
   */
  connect(options: { once: boolean }): Promise<void>;
  isUp(): boolean;
  /** Calls back each time a session has come up, with all subscriptions in place. */
  onUp(callback: () => void): void;
  /** Subscribes in this session and in every later one. */
  subscribe(subscription: Subscription): void;
  unsubscribe(id: string): void;
  /** Removes a durable subscription that nobody listens to. Rejects with `BROKER_UNREACHABLE` while there is no session. */
  forget(durableName: string): Promise<void>;
  /** Resolves at the broker's receipt. Rejects when the session ends before it. */
  send(destination: string, headers: Record<string, string>, body: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes a connection.
 * @param onTrouble told of each break and each failed try
 */
export type Connect = (settings: BrokerSettings, onTrouble: (error: SwfError) => void) => BrokerConnection;
