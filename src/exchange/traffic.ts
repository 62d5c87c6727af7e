import type { BrokerConnection, Connect, Delivery } from '../broker/connection.ts';
import { hasCode } from '../lib/errors.ts';
import { fieldOf } from '../messages/codec.ts';
import { decodedOf } from './wire.ts';

/** Upper bounds of the steps' durations, in seconds. */
const stepBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600] as const;

/** Maximum number of types to count separately, since other programs choose their names. */
const maxTypes = 100;

type Traffic = ReturnType<typeof createTraffic>;

/** Counts of the messages that a process has sent and received over its broker since the process started. */
export function createTraffic() {
  const connections = new Set<BrokerConnection>();
  /** For each bound, the number of steps that took no longer than that; also the totals. */
  const steps = { bounds: stepBounds, within: stepBounds.map(() => 0), count: 0, sum: 0 };
  let sessions = 0;
  return {
    /** By type. */
    sent: new Map<string, number>(),
    received: new Map<string, number>(),
    refused: new Map<string, number>(),
    steps,
    /**
     * Whether at least one connection is up; an agent's connection is down while the agent waits for its turn
     * in a role.
     */
    get isConnected() {
      return [...connections].some((connection) => connection.isUp());
    },
    /** How many times a connection was restored. */
    get reconnects() {
      return Math.max(0, sessions - connections.size);
    },
    add(connection: BrokerConnection) {
      connections.add(connection);
      connection.onUp(() => (sessions += 1));
    },
    remove: (connection: BrokerConnection) => void connections.delete(connection),
    count(counts: Map<string, number>, type = 'other') {
      const name = counts.has(type) || counts.size < maxTypes ? type : 'other';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    /** Records a piece of work: a message read and answered, or a slice processed. */
    noteStep(seconds: number) {
      steps.count += 1;
      steps.sum += seconds;
      for (const [at, bound] of stepBounds.entries()) if (seconds <= bound) steps.within[at]! += 1;
    },
  };
}

/** Creates connections whose traffic is counted. */
export const counting =
  (connect: Connect, traffic: Traffic): Connect =>
  (settings, onTrouble) =>
    counted(connect(settings, onTrouble), traffic);

function counted(inner: BrokerConnection, traffic: Traffic): BrokerConnection {
  traffic.add(inner);
  return {
    connect: (how) => inner.connect(how),
    isUp: () => inner.isUp(),
    hasSelectors: () => inner.hasSelectors(),
    onUp: (callback) => inner.onUp(callback),
    unsubscribe: (id) => inner.unsubscribe(id),
    forget: (place) => inner.forget(place),
    subscribe(subscription) {
      const onMessage = (delivery: Delivery) => {
        traffic.count(traffic.received, delivery.headers['msg_type'] ?? fieldOf(decodedOf(delivery), 'msg_type'));
        subscription.onMessage(delivery);
      };
      inner.subscribe({ ...subscription, onMessage });
    },
    async send(message) {
      const type = message.headers['msg_type'];
      try {
        await inner.send(message);
        traffic.count(traffic.sent, type);
      } catch (error) {
        if (hasCode(error, 'BROKER_REFUSED')) traffic.count(traffic.refused, type);
        throw error;
      }
    },
    close() {
      traffic.remove(inner);
      return inner.close();
    },
  };
}
