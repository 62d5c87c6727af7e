import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import type { BrokerSettings, Delivery, BrokerConnection } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import type { SwfError } from '../../src/lib/errors.ts';
import { type Broker, brokerIsMissing, startBroker, startProxy } from '../activemq.ts';
import { describeConnection } from './connection-suite.ts';

const missing = brokerIsMissing();
if (missing !== undefined) console.warn(missing);

let broker: Broker;
let names = 0;
const fresh = (kind: 'queue' | 'topic'): string => `/${kind}/test.${process.pid}.${(names += 1)}`;

beforeAll(async () => {
  if (missing === undefined) broker = await startBroker();
}, 90_000);
afterAll(() => (missing === undefined ? broker.stop() : undefined));

async function connected(
  changes: Partial<BrokerSettings> = {},
  url = broker.url,
): Promise<BrokerConnection & { troubles: SwfError[] }> {
  const troubles: SwfError[] = [];
  const settings = {
    servers: parseBrokerUrl(url),
    user: broker.user,
    password: broker.password,
    heartbeatSeconds: 30,
    ...changes,
  };
  const bus = connectByStomp(settings, (error) => troubles.push(error));
  onTestFinished(() => bus.close());
  await bus.connect({ once: false });
  return Object.assign(bus, { troubles });
}

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

describe.skipIf(missing !== undefined)('over STOMP', { timeout: 120_000 }, () => {
  describeConnection('ActiveMQ Classic', () => ({
    connection: (clientId) =>
      connectByStomp(
        {
          servers: parseBrokerUrl(broker.url),
          user: broker.user,
          password: broker.password,
          heartbeatSeconds: 30,
          clientId,
        },
        () => {},
      ),
    goDown: () => broker.kill(),
    comeUp: () => broker.start(),
  }));
});

describe.skipIf(missing !== undefined)('the STOMP connection', { timeout: 120_000 }, () => {
  it('brings a message with its headers, whatever is in its body', async () => {
    const bus = await connected();
    const queue = fresh('queue');
    const got = collector();
    bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
    const body = JSON.stringify({ text: 'ä\n\\ "quoted" \u0001 😀', long: 'x'.repeat(200_000) });
    await bus.send(queue, { namespace: 'n', msg_type: 'test', persistent: 'true' }, body);
    await got.has(1);
    expect(got.deliveries[0]?.body).toBe(body);
    expect(got.deliveries[0]?.headers).toMatchObject({ namespace: 'n', msg_type: 'test' });
  });

  it('survives a header named hasOwnProperty, a long header, and a body of 10 MB', async () => {
    const bus = await connected();
    const queue = fresh('queue');
    const got = collector();
    bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
    await bus.send(queue, { hasOwnProperty: 'evil' }, '1');
    await bus.send(queue, { long: 'x'.repeat(5000) }, '2');
    await bus.send(queue, {}, 'y'.repeat(10_000_000));
    await bus.send(queue, {}, '4');
    await got.has(4);
    expect(
      got.deliveries.map(({ body, decoded }) => [
        body.slice(0, 3),
        decoded.kind === 'rejected' ? /of (\d+) bytes is too large/.exec(decoded.reason)?.[1] : '',
      ]),
    ).toEqual([
      ['1', undefined],
      ['2', undefined],
      ['yyy', '10000000'],
      ['4', undefined],
    ]);
    expect(bus.troubles).toEqual([]);
  });

  it('comes back after the broker was killed and restarted, with its subscriptions, and loses no queued message', async () => {
    const bus = await connected();
    const queue = fresh('queue');
    const got = collector();
    bus.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
    await bus.send(queue, { persistent: 'true' }, 'before');
    await got.has(1);
    const up = new Promise<void>((resolve) => bus.onUp(resolve));
    await broker.kill();
    await expect(bus.send(queue, { persistent: 'true' }, 'down')).rejects.toThrow();
    await broker.start();
    await up;
    await bus.send(queue, { persistent: 'true' }, 'after');
    // What was not acknowledged before the broker died comes once more; what was sent since comes too.
    await got.brought('after');
    expect(bus.troubles[0]?.code).toBe('BROKER_UNREACHABLE');
  });

  it('rejects what was under way when a connection is reset, and comes back', async () => {
    const proxy = await startProxy(broker.port);
    onTestFinished(() => void proxy.server.close());
    const bus = await connected({}, `stomp://127.0.0.1:${proxy.port}`);
    const queue = fresh('queue');
    const sends = Array.from({ length: 200 }, (_, index) => bus.send(queue, { persistent: 'true' }, String(index)));
    const settled = Promise.allSettled(sends);
    const up = new Promise<void>((resolve) => bus.onUp(resolve));
    proxy.reset();
    expect(new Set((await settled).map(({ status }) => status)).has('rejected')).toBe(true);
    await up;
    await bus.send(queue, {}, 'again');
    proxy.reset();
  });

  it('notices a broker that has stopped answering, and comes back when it goes on', async () => {
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
    await bus.send(fresh('queue'), {}, 'again');
  });

  it('says what is wrong when it is not let in', async () => {
    const attempt = (changes: Partial<BrokerSettings>, url = broker.url): Promise<void> => {
      const bus = connectByStomp(
        { servers: parseBrokerUrl(url), user: 'swf', password: 'secret', heartbeatSeconds: 30, ...changes },
        () => {},
      );
      onTestFinished(() => bus.close());
      return bus.connect({ once: true });
    };
    await expect(attempt({ password: 'wrong' })).rejects.toMatchObject({
      code: 'BROKER_REFUSED',
      message: expect.stringContaining('check user, password'),
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

  it('gives a queue’s message to another consumer when the connection of the first is gone before it was acknowledged', async () => {
    const queue = fresh('queue');
    const [first, second] = [await connected(), await connected()];
    const [kept, taken] = [collector(false), collector()];
    first.subscribe({
      id: 'a',
      destination: queue,
      ack: 'each',
      prefetch: 1,
      onMessage: kept.onMessage,
    });
    await first.send(queue, { persistent: 'true' }, 'work');
    await kept.has(1);
    second.subscribe({
      id: 'b',
      destination: queue,
      ack: 'each',
      prefetch: 1,
      onMessage: taken.onMessage,
    });
    await first.close();
    await taken.has(1);
    expect(taken.deliveries[0]?.body).toBe('work');
    expect(kept.deliveries[0]?.lost.aborted).toBe(true);
    kept.deliveries[0]?.acknowledge();
  });

  it('takes only messages of its namespace by selector', async () => {
    const bus = await connected();
    const queue = fresh('queue');
    const got = collector();
    bus.subscribe({
      id: 'a',
      destination: queue,
      ack: 'each',
      namespace: 'mine',
      onMessage: got.onMessage,
    });
    for (const namespace of ['other', 'mine']) await bus.send(queue, { namespace }, namespace);
    await got.has(1);
    await delay(100);
    expect(got.deliveries.map(({ body }) => body)).toEqual(['mine']);
  });
});

describe('a broker that accepts and says nothing', () => {
  it('is given up after a while, and nothing hangs', { timeout: 30_000 }, async () => {
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
