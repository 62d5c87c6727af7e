import { expect, it } from 'vitest';

import { type Delivery, dialectNames, type Subscription } from '../../src/broker/connection.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory, listenToMemory } from '../brokers/memory-connection.ts';
import { describeConnection } from './connection-suite.ts';

for (const kind of dialectNames) {
  const broker = new MemoryBroker(kind);
  describeConnection(`the in-memory broker as ${kind}`, () => ({
    connection: (clientId) => connectToMemory(broker)({ servers: [], heartbeatSeconds: 1, clientId }, () => {}),
    goDown: () => broker.goDown(),
    comeUp: () => broker.comeUp(),
  }));
}

it('the in-memory broker denies a listen-only user everything that would leave a trace', async () => {
  const broker = new MemoryBroker();
  const settings = { servers: [], heartbeatSeconds: 1, clientId: 'ear' };
  const [listener, speaker] = [listenToMemory, connectToMemory].map((to) => to(broker)(settings, () => {}));
  if (listener === undefined || speaker === undefined) throw new Error('no connections');
  await Promise.all([listener, speaker].map((one) => one.connect({ once: true })));
  const heard: Delivery[] = [];
  const topic: Subscription = {
    id: 'ear',
    destination: '/topic/epictopic',
    ack: 'auto',
    onMessage: (delivery) => void heard.push(delivery),
  };
  const refused = expect.objectContaining({ code: 'BROKER_REFUSED' });
  for (const more of [{ destination: '/queue/slices' }, { durableName: 'kept' }, { ack: 'each' }] as const)
    expect(() => listener.subscribe({ ...topic, ...more })).toThrow(refused);
  const message = { destination: '/topic/epictopic', headers: { namespace: 'a' }, body: '{}' };
  await expect(listener.send(message)).rejects.toEqual(refused);
  listener.subscribe(topic);
  await speaker.send(message);
  await expect.poll(() => heard).toHaveLength(1);
  expect(() => heard[0]?.acknowledge()).toThrow(refused);
  expect(() => heard[0]?.giveBack()).toThrow(refused);
  await Promise.all([listener, speaker].map((one) => one.close()));
});
