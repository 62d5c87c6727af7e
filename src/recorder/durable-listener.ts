import type { BrokerConnection } from '../broker/connection.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import { recorderSubscription } from '../exchange/names.ts';
import type { SwfError } from '../lib/errors.ts';
import type { Destinations } from '../messages/destinations.ts';
import type { Inbox } from './inbox.ts';

export interface DurableListenerOptions extends BrokerChoice {
  namespace: string;
  destinations: Destinations;
  warn: (message: string) => void;
}

/** Makes the broker keep messages sent while the recorder is down. The subscription needs a connection with its own client id. */
export function listenDurably(inbox: Inbox, id: string, options: DurableListenerOptions): BrokerConnection {
  const { namespace, destinations, settings, connect, warn } = options;
  const name = recorderSubscription(namespace, id);
  const listener = connect({ ...settings, clientId: name }, (error: SwfError) => warn(error.line));
  void listener.connect({ once: false });
  listener.subscribe({ ...inbox.work('durable', destinations.broadcast), durableName: name });
  return listener;
}
