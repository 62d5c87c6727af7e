import type { BrokerDialect } from './dialect.ts';

/** How long the queue of a durable subscription keeps a message, and how long it outlives its readers, in milliseconds. */
const keptMilliseconds = 24 * 3_600_000;
const unusedMilliseconds = 7 * keptMilliseconds;

/** Whether a name belongs to `doctor`. */
const isTrial = (name: string): boolean => /swf[.-](?:mcp-)?doctor/.test(name);

/** RabbitMQ 3.13 and 4 with its STOMP plugin. It has no selectors, so the namespace is part of every name. */
export const rabbitMq: BrokerDialect = {
  name: 'rabbitmq',
  isServer: (server) => /^RabbitMQ\//i.test(server),
  hasSelectors: false,
  place(destination, namespace) {
    const name = namespace === undefined ? destination : `${destination}.${namespace}`;
    // A trial queue disappears with its last reader.
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
  // Only a subscription of this session can be removed for good.
  forget: (name, subscribe) => [
    { command: 'SUBSCRIBE', headers: subscribe },
    {
      command: 'UNSUBSCRIBE',
      headers: { id: 'durable', durable: 'true', 'auto-delete': 'false', 'x-queue-name': name },
    },
  ],
  isNoSuchSubscription: () => false,
  // Connections share the queue of a durable subscription.
  isHeldElsewhere: () => false,
  expiry: (seconds) => ({ expiration: String(Math.round(seconds * 1000)) }),
  // Its header `message-id` names the delivery and not the message.
  messageId: () => undefined,
  acknowledgedBy: 'ack',
  // A subscription's unacknowledged messages stay with its session when it ends.
  giveBack: 'nack',
  holdsBackFrames: false,
  silenceFactor: 1.2,
};
