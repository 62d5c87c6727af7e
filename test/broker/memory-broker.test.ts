import { MemoryBroker } from '../../src/broker/memory-broker.ts';
import { connectToMemory } from '../../src/broker/memory-connection.ts';
import { describeConnection } from './connection-suite.ts';

const broker = new MemoryBroker();

describeConnection('the broker in memory', () => ({
  connection: (clientId) => connectToMemory(broker)({ servers: [], heartbeatSeconds: 1, clientId }, () => {}),
  goDown: () => broker.goDown(),
  comeUp: () => broker.comeUp(),
}));
