import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { expect, it, onTestFinished } from 'vitest';

import type { Subscription } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';

const frame = (command: string, headers: string[], body = ''): string =>
  `${command}\n${headers.join('\n')}\n\n${body}\0`;

/** A server that answers like RabbitMQ with a message on its way whenever a subscription ends. Returns its port. */
async function lateServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const one of text.split('\0').map((part) => part.trimStart())) {
        const [command = ''] = one.split('\n', 1);
        const valueOf = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(one)?.[1];
        if (command === 'CONNECT') socket.write(frame('CONNECTED', ['version:1.2', 'server:RabbitMQ/4.0.5']));
        const receipt = valueOf('receipt');
        if (receipt !== undefined) socket.write(frame('RECEIPT', [`receipt-id:${receipt}`]));
        if (command !== 'UNSUBSCRIBE') continue;
        const sentence = `There is no current subscription with tag 'T_${valueOf('id')}'.\n`;
        socket.write(frame('ERROR', ['message:Subscription not found'], sentence));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

it.each<[what: string, ack: Subscription['ack'], isUp: boolean]>([
  ['does no harm if the broker counts it as acknowledged', 'auto', true],
  ['ends the connection if the broker would keep it for the session', 'each', false],
])('a message that arrives after its subscription has ended %s', async (_, ack, isUp) => {
  const servers = [{ host: '127.0.0.1', port: await lateServer(), tls: false }];
  const troubles: string[] = [];
  const broker = connectByStomp({ servers, heartbeatSeconds: 30 }, ({ line }) => troubles.push(line));
  onTestFinished(() => broker.close());
  broker.subscribe({ id: 'recorders', destination: '/topic/a', ack, onMessage: () => {} });
  await broker.connect({ once: true });
  broker.unsubscribe('recorders');
  if (isUp) await delay(50);
  else await expect.poll(() => troubles).toHaveLength(1);
  expect([broker.isUp(), troubles.length]).toEqual([isUp, isUp ? 0 : 1]);
});
