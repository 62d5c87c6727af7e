import { type BrokerDialect, selectorOf } from './dialect.ts';

/** ActiveMQ Classic 5 and 6 (its STOMP page documents the `activemq.` headers). */
export const activeMqClassic: BrokerDialect = {
  name: 'activemq',
  isServer: (server) => /^ActiveMQ\//i.test(server),
  hasSelectors: true,
  place: (destination) => ({ destination, send: {}, subscribe: {} }),
  choose: (only) => ({ selector: selectorOf(only) }),
  window: (messages) => ({ 'activemq.prefetchSize': String(messages) }),
  durable: (name) => ({ 'activemq.subscriptionName': name }),
  forget: (name) => [{ command: 'UNSUBSCRIBE', headers: { id: 'durable', 'activemq.subscriptionName': name } }],
  // The broker has no codes: "No durable subscription exists for: …", "… already connected from …".
  isNoSuchSubscription: (message) => /durable/i.test(message),
  isHeldElsewhere: (message) => /already connected/i.test(message),
  expiry: (seconds) => ({ expires: String(Date.now() + seconds * 1000) }),
  messageId: (headers) => headers['message-id'],
  acknowledgedBy: 'ack',
  // NACK moves the message to the dead letters.
  giveBack: 'resubscribe',
  // Its option transport.tcpNoDelay is off.
  holdsBackFrames: true,
  // It pings only if it has sent nothing since its last check, so it may be silent for up to twice the interval.
  silenceFactor: 2.2,
};
