import type { BrokerConnection, Connect, Delivery } from '../broker/connection.ts';
import { SwfError } from '../lib/errors.ts';
import { fieldOf } from '../messages/codec.ts';
import { decodedOf } from './wire.ts';

/** Upper bounds of the steps' durations, in seconds. */
const stepBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600] as const;

/** The most types to count separately: their names come from others. */
const maxTypes = 100;

type Traffic = ReturnType<typeof createTraffic>;

/** Counts of the messages that a process has sent and received over its broker since it began. */
export function createTraffic() {
  const connections = new Set<BrokerConnection>();
  /** Steps that took no longer than each bound, and totals. */
  const steps = { bounds: stepBounds, within: stepBounds.map(() => 0), count: 0, sum: 0 };
  let sessions = 0;
  return {
    /** By type. */
    sent: new Map<string, number>(),
    received: new Map<string, number>(),
    refused: new Map<string, number>(),
    steps,
    /**
     * Whether any connection is up: of two agents in one role, one waits for its turn with a connection that
     * is down.
     */
    get isConnected(): boolean {
      return [...connections].some((connection) => connection.isUp());
    },
    /** How often a connection was restored. */
    get reconnects(): number {
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
    /** Records a piece of work: a message read and answered, or a slice. */
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
        if (error instanceof SwfError && error.code === 'BROKER_REFUSED') traffic.count(traffic.refused, type);
        throw error;
      }
    },
    close() {
      traffic.remove(inner);
      return inner.close();
    },
  };
}
