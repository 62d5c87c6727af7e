import { dialectNames } from '../../src/broker/connection.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { describeConnection } from './connection-suite.ts';

for (const kind of dialectNames) {
  const broker = new MemoryBroker(kind);
  describeConnection(`the in-memory broker as ${kind}`, () => ({
    connection: (clientId) => connectToMemory(broker)({ servers: [], heartbeatSeconds: 1, clientId }, () => {}),
    goDown: () => broker.goDown(),
    comeUp: () => broker.comeUp(),
  }));
}
