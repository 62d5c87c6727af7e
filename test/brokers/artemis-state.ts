import { setTimeout as delay } from 'node:timers/promises';

import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { administrator } from './artemis.ts';
import type { Broker } from './broker.ts';

const replies = '/queue/replies.of.management';

/** The queues and addresses that Artemis reports. A subscription is a queue. */
export async function artemisState(broker: Broker): Promise<{ queues: string[]; addresses: string[] }> {
  const connection = connectByStomp({ ...broker.settings, ...administrator }, () => {});
  const answers: string[][] = [];
  connection.subscribe({
    id: 'replies',
    destination: replies,
    ack: 'auto',
    onMessage: ({ body }) => answers.push((JSON.parse(body) as [string[]])[0]),
  });
  await connection.connect({ once: true });
  // One at a time: answers may arrive in another order.
  for (const [asked, operation] of ['getQueueNames', 'getAddressNames'].entries()) {
    await connection.send({
      destination: 'activemq.management',
      headers: { _AMQ_ResourceName: 'broker', _AMQ_OperationName: operation, 'reply-to': replies },
      body: '[]',
    });
    while (answers.length <= asked) await delay(20);
  }
  await connection.close();
  // Artemis makes "$sys" names for itself some time after its start.
  const isOfOthers = (name: string): boolean => name !== replies && !name.startsWith('$sys.');
  const [queues = [], addresses = []] = answers.map((names) => names.filter(isOfOthers).toSorted());
  return { queues, addresses };
}
