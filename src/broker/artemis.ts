import { type BrokerDialect, type Place, selectorOf } from './dialect.ts';

/** Bytes that may be in flight unacknowledged, if many messages may. */
const wideWindow = 4_194_304;

/**
 * Apache Artemis 2. Its manual's chapter on STOMP documents the headers. A stock broker treats every name as a topic, so each frame names the kind of
 * destination that it means; acceptor prefixes and existing addresses agree with that.
 */
export const artemis: BrokerDialect = {
  name: 'artemis',
  isServer: (server) => /artemis/i.test(server),
  hasSelectors: true,
  place: placeOf,
  choose: (only) => ({ selector: selectorOf(only) }),
  // It counts bytes: 1 is one message at a time.
  window: (messages) => ({ 'consumer-window-size': String(messages === 1 ? 1 : wideWindow) }),
  durable: (name) => ({ 'durable-subscription-name': name }),
  forget: (name) => [{ command: 'UNSUBSCRIBE', headers: { id: 'durable', 'durable-subscription-name': name } }],
  // It gives the same answer whether or not there was a subscription.
  isNoSuchSubscription: () => false,
  // Connections share a client id.
  isHeldElsewhere: () => false,
  probeForQueue: (destination) => ({
    ...placeOf(destination).subscribe,
    destination,
    id: 'probe',
    ack: 'auto',
    // A durable subscription to a topic needs a client id, which this connection lacks; for a queue the name has no meaning.
    'durable-subscription-name': 'probe',
    selector: '1 = 0',
  }),
  expiry: (seconds) => ({ expires: String(Date.now() + seconds * 1000) }),
  messageId: idOf,
  acknowledgedBy: 'message-id',
  // It treats NACK as ACK.
  giveBack: 'resubscribe',
  holdsBackFrames: false,
  silenceFactor: 1.2,
};

function placeOf(destination: string): Place {
  const type = destination.startsWith('/queue/') ? 'ANYCAST' : 'MULTICAST';
  return { destination, send: { 'destination-type': type }, subscribe: { 'subscription-type': type } };
}

/**
 * Its header `message-id` holds the consumer's number and the message's, `27,24`. Message numbers restart if the broker loses its disk, but not
 * within the same millisecond.
 */
function idOf({ 'message-id': id, timestamp }: Readonly<Record<string, string>>): string | undefined {
  return id === undefined ? undefined : `${timestamp ?? ''}-${id.slice(id.lastIndexOf(',') + 1)}`;
}
