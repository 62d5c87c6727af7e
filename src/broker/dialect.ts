import type { Subscription } from './connection.ts';

/** The differences from broker to broker behind the same protocol. Each dialect is a file of its own. */
export interface BrokerDialect {
  /** The headers of a SUBSCRIBE frame, besides id, destination and ack. */
  subscribeHeaders(subscription: Subscription): Record<string, string>;
  /** The headers of an UNSUBSCRIBE frame that removes a durable subscription. */
  forgetHeaders(durableName: string): Record<string, string>;
  /** Whether a refusal means that there is no durable subscription to remove. */
  isNoSuchSubscription(message: string): boolean;
}
