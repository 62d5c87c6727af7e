import type { BrokerConnection } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import type { Broker } from '../brokers/broker.ts';

/** A foreign program that sends messages. */
export async function speaker(broker: Broker): Promise<BrokerConnection> {
  const connection = connectByStomp(broker.settings, () => {});
  await connection.connect({ once: true });
  return connection;
}

/** Headers that a sender sets; the others are the broker's. */
export const theirs = ['msg_type', 'namespace', 'run_id', 'vo', 'client-id', 'id', 'ack', 'ttl', 'persistent'];

/** Sends the lines of a recording as fast as possible. */
export async function play(connection: BrokerConnection, lines: readonly MessageLine[]): Promise<void> {
  await Promise.all(
    lines.map(({ destination, headers, ...kept }) =>
      connection.send({
        destination,
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => theirs.includes(name))),
        body: 'body' in kept ? JSON.stringify(kept.body) : '',
      }),
    ),
  );
}
