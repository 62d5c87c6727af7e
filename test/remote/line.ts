import { onTestFinished } from 'vitest';

import type { BrokerConnection, DialectName } from '../../src/broker/connection.ts';
import { executionParamsSchema, workflowParamsOf } from '../../src/domain/params.ts';
import { destinations } from '../../src/messages/destinations.ts';
import type { ExecutionState } from '../../src/messages/telemetry.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { stopTime, turns } from '../still-time.ts';

export { destinations };

export const namespace = 'test';
export const execution_id = 'w-x-0001';

/** A message received on a destination, with the second of its arrival. */
export interface Overheard {
  second: number;
  headers: Record<string, string>;
  body: Record<string, any>;
}

export interface Line {
  broker: MemoryBroker;
  ours: BrokerConnection;
  theirs: BrokerConnection;
  /** Collects the messages to a destination from now on. This empties a queue. */
  overhear: (destination: string) => Overheard[];
  /** Sends a message as another program, and waits until it is delivered. */
  tell: (destination: string, body: object | string, headers?: Record<string, string>) => Promise<void>;
}

/** Two connections to a broker in memory, in a time that stands still. */
export async function line(kind?: DialectName): Promise<Line> {
  stopTime();
  const broker = new MemoryBroker(kind);
  const connect = async (): Promise<BrokerConnection> => {
    const connection = connectToMemory(broker)({ servers: [], heartbeatSeconds: 1 }, () => {});
    await connection.connect({ once: true });
    onTestFinished(() => connection.close());
    return connection;
  };
  const [ours, theirs] = [await connect(), await connect()];
  const began = performance.now();
  const overhear = (destination: string): Overheard[] => {
    const heard: Overheard[] = [];
    theirs.subscribe({
      id: `overheard ${destination}`,
      destination,
      ack: 'auto',
      onMessage: ({ headers, body }) =>
        heard.push({
          second: (performance.now() - began) / 1000,
          headers: { ...headers },
          body: JSON.parse(body) as Overheard['body'],
        }),
    });
    return heard;
  };
  const tell: Line['tell'] = async (destination, body, headers = { namespace }) => {
    await theirs.send({ destination, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
    await turns();
  };
  return { broker, ours, theirs, overhear, tell };
}

/** An execution's state as its recorder reports it. */
export const stateOf = (more: Partial<ExecutionState> = {}): ExecutionState => ({
  msg_type: 'execution_state',
  sender: 'daq-1',
  namespace,
  execution_id,
  store_id: 's1',
  epoch: 1,
  run_id: '7',
  phase: 'physics',
  status: 'running',
  held: false,
  workflow_params: workflowParamsOf(executionParamsSchema.parse({})),
  plan_version: 1,
  max_retries: 3,
  ...more,
});
