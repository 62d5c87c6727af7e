import { onTestFinished } from 'vitest';

import type { BrokerConnection, DialectName } from '../../src/broker/connection.ts';
import { destinations } from '../../src/messages/destinations.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { makeRunningStore, type TestStore } from '../helpers.ts';

export const execution_id = 'stf_datataking-tester-0001';
export const namespace = 'test';

export interface Exchange extends TestStore {
  broker: MemoryBroker;
  /** A connection of ours, and one of another program. */
  ours: BrokerConnection;
  theirs: BrokerConnection;
  faults: unknown[];
  /** A further connection that is not open yet. */
  connect: () => BrokerConnection;
}

/** A store with a running execution, and an in-memory broker. */
export async function setUp(kind?: DialectName): Promise<Exchange> {
  const made = await makeRunningStore();
  const broker = new MemoryBroker(kind);
  const fresh = (): BrokerConnection => connectToMemory(broker)({ servers: [], heartbeatSeconds: 1 }, () => {});
  const connect = async (): Promise<BrokerConnection> => {
    const connection = fresh();
    await connection.connect({ once: true });
    onTestFinished(() => connection.close());
    return connection;
  };
  return { ...made, broker, connect: fresh, ours: await connect(), theirs: await connect(), faults: [] };
}

export { destinations };
