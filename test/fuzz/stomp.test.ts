import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { rounds } from '../rounds.ts';

const connectedFrame = 'CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0';
const message = 'MESSAGE\nsubscription:slices-1\nmessage-id:1\nack:1\ndestination:/queue/x\ncontent-length:2\n\n{}\0';

/** Bytes that a broken broker may send after it has accepted a connection. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.nat(message.length), fc.string({ unit: 'binary', maxLength: 10 }))
    .map(([at, text]) => Buffer.from(message.slice(0, at) + text + message.slice(at + 2))),
  fc
    .constantFrom(
      message,
      'ERROR\nmessage:no\n\n\0',
      'RECEIPT\nreceipt-id:never-asked-for\n\n\0',
      'CONNECTED\n\n\0',
      'MESSAGE\n\n\0',
      'MESSAGE\nsubscription:other\ncontent-length:-1\n\nx\0',
      'MESSAGE\nsubscription:slices-1\ncontent-length:999999999999\n\nx\0',
      `MESSAGE\n${'a:b\n'.repeat(3000)}\n\0`,
      `MESSAGE\nx:${'y'.repeat(100_000)}\n\n\0`,
      '\n\n\n\n',
      '\0\0\0\0',
      'M',
    )
    .map((text) => Buffer.from(text)),
);

describe('a broker that sends arbitrary frames', () => {
  it('causes neither a crash nor a hang', async () => {
    let script: Buffer[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.on('data', (data) => {
        if (data.includes('CONNECT\n')) socket.write(connectedFrame);
        for (const [, id = ''] of String(data).matchAll(/^receipt:(.*)$/gm))
          socket.write(`RECEIPT\nreceipt-id:${id}\n\n\0`);
        if (!data.includes('SUBSCRIBE\n')) return;
        for (const bytes of script) socket.write(bytes);
        socket.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const seen = { sessions: 0, deliveries: 0, troubles: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyBytes, { minLength: 1, maxLength: 5 }), async (frames) => {
        script = frames;
        const bus = connectByStomp(
          { servers: [{ host: '127.0.0.1', port, tls: false }], heartbeatSeconds: 1 },
          () => void (seen.troubles += 1),
        );
        bus.subscribe({
          id: 'slices',
          destination: '/queue/x',
          ack: 'each',
          onMessage(delivery) {
            seen.deliveries += 1;
            delivery.acknowledge();
          },
        });
        await bus.connect({ once: true }).catch(() => {});
        await bus.send({ destination: '/queue/x', headers: {}, body: '{}' }).catch(() => {});
        await bus.close();
        seen.sessions += 1;
      }),
      { numRuns: rounds(500), seed: 5 },
    );
    for (const socket of sockets) socket.destroy();
    expect(seen.sessions).toBe(rounds(500));
    // Sound frames are delivered, and broken ones are noticed: else the rounds would prove nothing.
    expect(seen.deliveries).toBeGreaterThan(rounds(500) / 50);
    expect(seen.troubles).toBeGreaterThan(rounds(500) / 5);
  });
});
