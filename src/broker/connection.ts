import type { BrokerAddress } from './address.ts';

/** What a process sees of a STOMP broker. `stomp-bus.ts` is the one implementation. */
export interface BrokerSettings {
  /** A failover list. */
  servers: BrokerAddress[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates to trust, as PEM. */
  ca?: string | undefined;
  /** Heart-beats asked for, both ways. */
  heartbeatSeconds: number;
  /** Needed for a durable subscription; a broker lets only one connection have it. */
  clientId?: string | undefined;
}

export interface Delivery {
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Set where the body was too large to keep: its size in bytes. `body` is then its beginning. */
  cutFrom?: number;
  /** Tells the broker that the message is dealt with; does nothing once the session that delivered it is over. */
  acknowledge(): void;
  /** Aborted when the session that delivered it is over: the broker will deliver the message again, perhaps to another. */
  lost: AbortSignal;
}

export interface Subscription {
  id: string;
  destination: string;
  ack: 'auto' | 'client-individual';
  headers?: Record<string, string>;
  onMessage: (delivery: Delivery) => void;
}

export interface StompBus {
  /** Resolves when the first session is up. With `once`, rejects when no server of the list lets us in at the first round. */
  connect(options: { once: boolean }): Promise<void>;
  isUp(): boolean;
  /** Calls back each time a session has come up, with all subscriptions in place. */
  onUp(callback: () => void): void;
  /** Subscribes in this session and in every later one. */
  subscribe(subscription: Subscription): void;
  unsubscribe(id: string): void;
  /** Removes a durable subscription that nobody listens to, by its name. */
  forget(durableName: string): Promise<void>;
  /** Resolves at the broker's receipt; rejects when the session ends before it. */
  send(destination: string, headers: Record<string, string>, body: string): Promise<void>;
  close(): Promise<void>;
}
