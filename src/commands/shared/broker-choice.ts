import type { BrokerSettings } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';
import type { Config } from '../../config/schema.ts';
import { queuesSharedWithTestbed, layoutTopics } from '../../messages/destinations.ts';
import type { Io } from './io.ts';

/** How a command connects to its broker: over STOMP, after listening for foreign programs in its namespace. */
export function brokerChoice(io: Io, settings: BrokerSettings, { broker }: Config, connect = connectByStomp) {
  const { SWF_MONITOR_URL: url = '', SWF_MONITOR_TOKEN: token } = io.env;
  return {
    settings,
    connect,
    listening: {
      broadcast: broker.destinations.broadcast,
      layout: layoutTopics(broker.layout),
      sharedQueues: queuesSharedWithTestbed(broker.destinations),
      seconds: broker.listen_seconds,
      monitor: url === '' ? undefined : { url, token: token || undefined },
      say: (line: string) => io.err(line),
    },
  };
}
