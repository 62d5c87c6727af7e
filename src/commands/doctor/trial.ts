import type { BrokerConnection, BrokerSettings, Delivery, Subscription } from '../../broker/connection.ts';
import { connectByStomp } from '../../broker/stomp-connection.ts';

/** How long to wait for a message that must come, in milliseconds. */
const comesMilliseconds = 3000;

/** Runs work with connections of its own, which are closed whatever happens. */
export async function withConnections<T>(
  settings: BrokerSettings,
  count: number,
  work: (brokers: [BrokerConnection, ...BrokerConnection[]]) => Promise<T>,
): Promise<T> {
  const brokers = Array.from({ length: count }, () => connectByStomp(settings, () => {}));
  try {
    for (const broker of brokers) await broker.connect({ once: true });
    return await work(brokers as [BrokerConnection, ...BrokerConnection[]]);
  } finally {
    await Promise.all(brokers.map((broker) => broker.close()));
  }
}

/** Sends a message that expires. */
export function send(
  broker: BrokerConnection | undefined,
  destination: string,
  headers: Record<string, string>,
  body: string,
  expirySeconds = 60,
): Promise<void> {
  if (broker === undefined) return Promise.resolve();
  return broker.send({ destination, headers: { ...headers, persistent: 'true' }, body, expirySeconds });
}

/** Subscribes, and collects what comes. */
export function listen(
  broker: BrokerConnection,
  of: Omit<Subscription, 'id' | 'ack' | 'onMessage'>,
  id = 'doctor',
  acknowledges = true,
  ack: Subscription['ack'] = 'each',
) {
  const deliveries: Delivery[] = [];
  let wake = (): void => {};
  broker.subscribe({
    ...of,
    id,
    ack,
    onMessage(delivery) {
      deliveries.push(delivery);
      if (acknowledges) delivery.acknowledge();
      wake();
    },
  });
  return {
    deliveries,
    bodies: (): string[] => deliveries.map(({ body }) => body),
    acknowledgeAll: (): void => {
      for (const delivery of deliveries) delivery.acknowledge();
    },
    has: (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('a message that was sent did not come')), comesMilliseconds);
        wake = () => {
          if (deliveries.length < count) return;
          clearTimeout(timer);
          resolve();
        };
        wake();
      }),
  };
}
