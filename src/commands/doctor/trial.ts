import type { BrokerConnection, BrokerSettings, Delivery, Subscription } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerRefused } from '../../lib/errors.ts';

/** How long to wait, in milliseconds, for a message that must arrive. */
const comesMilliseconds = 3000;

type Brokers = [BrokerConnection, ...BrokerConnection[]];

/** Runs `work` with its own connections, which are always closed at the end. */
export async function withConnections<T>(settings: BrokerSettings, count: number, work: (of: Brokers) => Promise<T>) {
  const brokers = Array.from({ length: count }, () => connectByStomp(settings, () => {}));
  try {
    for (const broker of brokers) await broker.connect({ once: true });
    return await work(brokers as Brokers);
  } finally {
    await Promise.all(brokers.map((broker) => broker.close()));
  }
}

/** Sends a message that expires, so that none is left behind. */
export const send = (
  broker: BrokerConnection,
  destination: string,
  headers: Record<string, string>,
  body: string,
  expirySeconds = 60,
) => broker.send({ destination, headers: { ...headers, persistent: 'true' }, body, expirySeconds });

type Listened = Omit<Subscription, 'id' | 'ack' | 'onMessage'> & Partial<Subscription> & { acknowledges?: boolean };

/** Subscribes, and collects what arrives. */
export function listen(broker: BrokerConnection, { acknowledges = true, ...subscription }: Listened) {
  const deliveries: Delivery[] = [];
  let wake = () => {};
  broker.subscribe({
    id: 'doctor',
    ack: 'each',
    ...subscription,
    onMessage(delivery) {
      deliveries.push(delivery);
      if (acknowledges) delivery.acknowledge();
      wake();
    },
  });
  const comes = (count: number) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), comesMilliseconds);
      wake = () => {
        if (deliveries.length < count) return;
        clearTimeout(timer);
        resolve(true);
      };
      wake();
    });
  return {
    deliveries,
    bodies: () => deliveries.map(({ body }) => body),
    acknowledgeAll: () => {
      for (const delivery of deliveries) delivery.acknowledge();
    },
    /** Waits for the given number of messages. Resolves with false if they do not arrive in time. */
    comes,
    /** Like `comes`, but throws if the messages do not arrive in time. */
    async has(count: number) {
      if (!(await comes(count)))
        throw brokerRefused(
          'a test message did not arrive; check the permissions of this user, and whether another program reads from the same destination',
        );
    },
  };
}
