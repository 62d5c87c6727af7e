import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import type { BrokerSettings, Delivery, BrokerConnection } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import type { SwfError } from '../../src/lib/errors.ts';
import type { Broker } from '../brokers/broker.ts';
import { brokerKinds } from '../brokers/kinds.ts';
import { startProxy } from '../brokers/network.ts';
import { describeConnection } from './connection-suite.ts';

let names = 0;
const fresh = (kind: 'queue' | 'topic'): string => `/${kind}/test.${process.pid}.${(names += 1)}`;

/** Collects deliveries and lets a test await their number. */
function collector(acknowledge = true) {
  const deliveries: Delivery[] = [];
  const waiting: (() => void)[] = [];
  return {
    deliveries,
    onMessage: (delivery: Delivery): void => {
      deliveries.push(delivery);
      if (acknowledge) delivery.acknowledge();
      for (const look of waiting) look();
    },
    brought: (body: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (deliveries.some((delivery) => delivery.body === body)) resolve();
        };
        waiting.push(look);
        look();
      }),
    has: (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (deliveries.length >= count) resolve();
        };
        waiting.push(look);
        look();
      }),
  };
}

for (const { kind, missing, start } of brokerKinds) {
  const why = missing();
  if (why !== undefined) console.warn(why);
  describe.skipIf(why !== undefined)(`a STOMP connection to ${kind}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());
    // A frame of RabbitMQ has 4 MiB at most.
    const large = kind === 'rabbitmq' ? 3_000_000 : 10_000_000;

    const connected = async (
      changes: Partial<BrokerSettings> = {},
      url = broker.url,
    ): Promise<BrokerConnection & { troubles: SwfError[] }> => {
      const troubles: SwfError[] = [];
      const settings = { ...broker.settings, servers: parseBrokerUrl(url), ...changes };
      const bus = connectByStomp(settings, (error) => troubles.push(error));
      onTestFinished(() => bus.close());
      await bus.connect({ once: false });
      return Object.assign(bus, { troubles });
    };

    describeConnection(kind, () => ({
      connection: (clientId) => connectByStomp({ ...broker.settings, clientId }, () => {}),
      goDown: () => broker.kill(),
      comeUp: () => broker.start(),
    }));

    it('delivers a message with its headers, whatever is in its body', async () => {
      const bus = await connected();
      const queue = fresh('queue');
      const got = collector();
      bus.subscribe({
        id: 'a',
        destination: queue,
        ack: 'each',
        only: () => ({ namespace: 'n' }),
        onMessage: got.onMessage,
      });
      const body = JSON.stringify({ text: 'ä\n\\ "quoted" \u0001 😀', long: 'x'.repeat(200_000) });
      await bus.send({ destination: queue, headers: { namespace: 'n', msg_type: 'test', persistent: 'true' }, body });
      await got.has(1);
      expect(got.deliveries[0]?.body).toBe(body);
      expect(got.deliveries[0]?.headers).toMatchObject({ namespace: 'n', msg_type: 'test' });
    });

    it('survives a header named hasOwnProperty, a long header, and a body that is too large', async () => {
      const bus = await connected();
      const queue = fresh('queue');
      const got = collector();
      bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
      await bus.send({ destination: queue, headers: { hasOwnProperty: 'evil' }, body: '1' });
      await bus.send({ destination: queue, headers: { long: 'x'.repeat(5000) }, body: '2' });
      await bus.send({ destination: queue, headers: {}, body: 'y'.repeat(large) });
      await bus.send({ destination: queue, headers: {}, body: '4' });
      await got.has(4);
      expect(got.deliveries.map(({ body, size, isWhole }) => [body.slice(0, 3), size, isWhole])).toEqual([
        ['1', 1, true],
        ['2', 1, true],
        ['yyy', large, false],
        ['4', 1, true],
      ]);
      expect(bus.troubles).toEqual([]);
    });

    it('reconnects with its subscriptions after the broker has been killed and restarted', async () => {
      const bus = await connected();
      const queue = fresh('queue');
      const got = collector();
      bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'before' });
      await got.has(1);
      const up = new Promise<void>((resolve) => bus.onUp(resolve));
      await broker.kill();
      await expect(bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'down' })).rejects.toThrow();
      await broker.start();
      await up;
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'after' });
      // Messages not acknowledged before the kill are delivered again; those sent since arrive too.
      await got.brought('after');
      expect(bus.troubles[0]?.code).toBe('BROKER_UNREACHABLE');
    });

    it('rejects pending sends when it is reset, and reconnects', async () => {
      const proxy = await startProxy(broker.port);
      onTestFinished(() => void proxy.server.close());
      const bus = await connected({}, `stomp://127.0.0.1:${proxy.port}`);
      const queue = fresh('queue');
      const sends = Array.from({ length: 200 }, (_, index) =>
        bus.send({ destination: queue, headers: { persistent: 'true' }, body: String(index) }),
      );
      const settled = Promise.allSettled(sends);
      const up = new Promise<void>((resolve) => bus.onUp(resolve));
      proxy.reset();
      expect(new Set((await settled).map(({ status }) => status)).has('rejected')).toBe(true);
      await up;
      await bus.send({ destination: queue, headers: {}, body: 'again' });
      proxy.reset();
    });

    it('notices a broker that has stopped answering, and reconnects when the broker answers again', async () => {
      const bus = await connected({ heartbeatSeconds: 1 });
      const noticed = new Promise<void>((resolve) => {
        const look = setInterval(() => {
          if (!bus.isUp()) {
            clearInterval(look);
            resolve();
          }
        }, 20);
      });
      broker.child().kill('SIGSTOP');
      await noticed;
      const up = new Promise<void>((resolve) => bus.onUp(resolve));
      broker.child().kill('SIGCONT');
      await up;
      await bus.send({ destination: fresh('queue'), headers: {}, body: 'again' });
    });

    it('reports why it cannot log in or connect, and tries each server of a failover list', async () => {
      const attempt = (changes: Partial<BrokerSettings>, url = broker.url): Promise<void> => {
        const bus = connectByStomp({ ...broker.settings, servers: parseBrokerUrl(url), ...changes }, () => {});
        onTestFinished(() => bus.close());
        return bus.connect({ once: true });
      };
      await expect(attempt({ password: 'wrong' })).rejects.toMatchObject({
        code: 'BROKER_REFUSED',
        message: expect.stringContaining('check the user name and password'),
      });
      await expect(attempt({}, 'stomp://127.0.0.1:1')).rejects.toMatchObject({
        code: 'BROKER_UNREACHABLE',
        message: expect.stringContaining('ECONNREFUSED'),
      });
      await expect(attempt({}, 'stomp://no-such-host.invalid:61613')).rejects.toMatchObject({
        code: 'BROKER_UNREACHABLE',
      });
      // The second server of a failover list is tried before giving up.
      await expect(attempt({}, `stomp://127.0.0.1:1,${broker.url}`)).resolves.toBeUndefined();
    });

    it('does not receive a message that has expired', async () => {
      const bus = await connected();
      const [queue, got] = [fresh('queue'), collector()];
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'old', expirySeconds: 1 });
      await delay(2000);
      bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'new', expirySeconds: 60 });
      await got.brought('new');
      expect(got.deliveries.map(({ body }) => body)).toEqual(['new']);
    });

    it('rejects a send that the broker does not allow, with the reason, and sends the next message', async () => {
      const bus = await connected();
      const refused = bus.send({ destination: '/queue/denied.x', headers: { persistent: 'true' }, body: 'no' });
      await expect(refused).rejects.toMatchObject({ code: 'BROKER_REFUSED', message: expect.stringMatching(/denied/) });
      // Some brokers end the connection behind their refusal, and what is sent meanwhile is refused too.
      const next = { destination: fresh('queue'), headers: { persistent: 'true' }, body: 'yes' };
      const isTaken = (): Promise<boolean> =>
        bus.send(next).then(
          () => true,
          () => false,
        );
      await expect.poll(isTaken).toBe(true);
    });

    it('finds an empty queue after the broker has lost its disk, and keeps working', async () => {
      const bus = await connected();
      const [queue, got] = [fresh('queue'), collector()];
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'lost' });
      await broker.kill();
      broker.loseDisk();
      const up = new Promise<void>((resolve) => bus.onUp(resolve));
      await broker.start();
      await up;
      bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
      await bus.send({ destination: queue, headers: { persistent: 'true' }, body: 'anew' });
      await got.has(1);
      expect(got.deliveries.map(({ body }) => body)).toEqual(['anew']);
    });
  });
}

describe('a broker that accepts connections and never answers', () => {
  it('is abandoned after a while, and the connection can be closed', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    const { port } = mute.address() as { port: number };
    const bus = connectByStomp(
      { servers: parseBrokerUrl(`stomp://127.0.0.1:${port}`), heartbeatSeconds: 30 },
      () => {},
    );
    await expect(bus.connect({ once: true })).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining('no answer'),
    });
    await bus.close();
  });
});

describe('a broker that closes the connection', () => {
  it('counts as alive up to that moment', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0'));
      socket.on('end', () => socket.end());
      closing.signal.addEventListener('abort', () => socket.end());
    }).listen(0, '127.0.0.1');
    const closing = new AbortController();
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const servers = parseBrokerUrl(`stomp://127.0.0.1:${port}`);
    const lost: (number | undefined)[] = [];
    const bus = connectByStomp({ servers, heartbeatSeconds: 30 }, (_, aliveAt) => lost.push(aliveAt));
    onTestFinished(() => bus.close());
    await bus.connect({ once: false });
    const before = Date.now();
    closing.abort();
    await expect.poll(() => lost[0]).toBeGreaterThanOrEqual(before);
  });
});

describe('a broker that sends a message after the subscription has ended', () => {
  it('does not break the connection, and the message is dropped', async () => {
    const server = createServer((socket) => {
      let text = '';
      socket.setEncoding('utf8').on('error', () => {});
      socket.on('data', (chunk: string) => {
        text += chunk;
        const frames = text.split('\0');
        text = frames.pop() ?? '';
        for (const frame of frames) {
          const of = (name: string): string | undefined => new RegExp(`^${name}:(.*)$`, 'm').exec(frame)?.[1];
          if (/^\s*(?:CONNECT|STOMP)\n/.test(frame)) socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
          else if (of('receipt') !== undefined) socket.write(`RECEIPT\nreceipt-id:${of('receipt')}\n\n\0`);
          if (frame.trimStart().startsWith('UNSUBSCRIBE'))
            socket.write(
              `MESSAGE\nsubscription:${of('id')}\nmessage-id:1\nack:1\ndestination:/queue/x\ncontent-length:2\n\n{}\0`,
            );
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const troubles: SwfError[] = [];
    const { port } = server.address() as { port: number };
    const servers = parseBrokerUrl(`stomp://127.0.0.1:${port}`);
    const bus = connectByStomp({ servers, heartbeatSeconds: 30 }, (error) => troubles.push(error));
    onTestFinished(() => bus.close());
    await bus.connect({ once: false });
    const got = collector();
    bus.subscribe({ id: 'slot', destination: '/queue/x', ack: 'each', onMessage: got.onMessage });
    await bus.send({ destination: '/queue/x', headers: {}, body: '1' });
    bus.unsubscribe('slot');
    // The receipts of these come after the late message.
    await bus.send({ destination: '/queue/x', headers: {}, body: '2' });
    await bus.send({ destination: '/queue/x', headers: {}, body: '3' });
    expect({ troubles, isUp: bus.isUp(), got: got.deliveries }).toEqual({ troubles: [], isUp: true, got: [] });
  });
});
