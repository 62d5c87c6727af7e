import { describe, expect, it, onTestFinished } from 'vitest';

import type { BrokerConnection, Delivery, Subscription } from '../../src/broker/connection.ts';
import type { SwfError } from '../../src/lib/errors.ts';

/** A broker of one kind, as the suite needs it. */
interface BrokerUnderTest {
  /** A connection that is not open yet. */
  connection(clientId?: string): BrokerConnection;
  goDown(): Promise<void> | void;
  comeUp(): Promise<void> | void;
}

let names = 0;
const fresh = (kind: 'queue' | 'topic'): string => `/${kind}/suite.${process.pid}.${(names += 1)}`;

/** Collects deliveries and lets a test await their number. */
export function collector(acknowledge = true) {
  const deliveries: Delivery[] = [];
  const waiting = new Set<() => void>();
  return {
    deliveries,
    bodies: (): string[] => deliveries.map(({ body }) => body),
    onMessage: (delivery: Delivery): void => {
      deliveries.push(delivery);
      if (acknowledge) delivery.acknowledge();
      for (const look of waiting) look();
    },
    has: (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (deliveries.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** The behaviour of every implementation of `BrokerConnection`. */
export function describeConnection(kind: string, brokerUnderTest: () => BrokerUnderTest): void {
  /** A connection that is up, with these subscriptions in place. */
  const open = async (subscriptions: Subscription[] = [], clientId?: string): Promise<BrokerConnection> => {
    const connection = brokerUnderTest().connection(clientId);
    onTestFinished(() => connection.close());
    for (const subscription of subscriptions) connection.subscribe(subscription);
    await connection.connect({ once: false });
    return connection;
  };

  describe(`a connection to ${kind}`, () => {
    it('delivers a message of a queue with its headers and its size', async () => {
      const connection = await open();
      const [queue, got] = [fresh('queue'), collector()];
      connection.subscribe({
        id: 'a',
        destination: queue,
        ack: 'each',
        only: () => ({ namespace: 'n' }),
        onMessage: got.onMessage,
      });
      await connection.send({
        destination: queue,
        headers: { namespace: 'n' },
        body: '{"msg_type":"hello","sender":"ä"}',
      });
      await got.has(1);
      expect(got.deliveries[0]).toMatchObject({
        body: '{"msg_type":"hello","sender":"ä"}',
        headers: { namespace: 'n' },
        size: 34,
        isWhole: true,
      });
    });

    it('acknowledges a message with headers reserved for brokers, and receives the next', async () => {
      const [queue, got] = [fresh('queue'), collector()];
      const connection = await open([
        { id: 'a', destination: queue, ack: 'each', prefetch: 1, onMessage: got.onMessage },
      ]);
      const foreign = { ack: 'auto', id: 'theirs', 'client-id': 'theirs', 'content-type': 'text/plain' };
      for (const body of ['1', '2', '3']) await connection.send({ destination: queue, headers: foreign, body });
      await got.has(3);
      await connection.close();
      // Acknowledged messages are not delivered again.
      const again = collector();
      const other = await open([{ id: 'a', destination: queue, ack: 'each', onMessage: again.onMessage }]);
      await other.send({ destination: queue, headers: {}, body: 'last' });
      await again.has(1);
      expect([...got.bodies(), ...again.bodies()]).toEqual(['1', '2', '3', 'last']);
    });

    it('delivers only messages of its namespace from a queue, and those of a topic to every listener', async () => {
      const [queue, topic] = [fresh('queue'), fresh('topic')];
      const [mine, first, second] = [collector(), collector(), collector()];
      const one = await open([
        { id: 'q', destination: queue, ack: 'each', only: () => ({ namespace: 'mine' }), onMessage: mine.onMessage },
        { id: 't', destination: topic, ack: 'auto', onMessage: first.onMessage },
      ]);
      await open([{ id: 't', destination: topic, ack: 'auto', onMessage: second.onMessage }]);
      for (const namespace of ['other', 'mine'])
        await one.send({ destination: queue, headers: { namespace }, body: namespace });
      await one.send({ destination: topic, headers: {}, body: 'to all' });
      await Promise.all([mine.has(1), first.has(1), second.has(1)]);
      expect([mine.bodies(), first.bodies(), second.bodies()]).toEqual([['mine'], ['to all'], ['to all']]);
    });

    it('receives only as many messages as its prefetch until they are acknowledged', async () => {
      const connection = await open();
      const [queue, got] = [fresh('queue'), collector(false)];
      connection.subscribe({ id: 'a', destination: queue, ack: 'each', prefetch: 1, onMessage: got.onMessage });
      for (const body of ['1', '2', '3'])
        await connection.send({ destination: queue, headers: { persistent: 'true' }, body });
      await got.has(1);
      expect(got.bodies()).toEqual(['1']);
      got.deliveries[0]?.acknowledge();
      await got.has(2);
      expect(got.bodies()).toEqual(['1', '2']);
    });

    it('passes an unacknowledged message to another connection when it ends', async () => {
      const [first, second] = [await open(), await open()];
      const [queue, kept, taken] = [fresh('queue'), collector(false), collector()];
      first.subscribe({ id: 'a', destination: queue, ack: 'each', prefetch: 1, onMessage: kept.onMessage });
      await first.send({ destination: queue, headers: { persistent: 'true' }, body: 'work' });
      await kept.has(1);
      second.subscribe({ id: 'b', destination: queue, ack: 'each', prefetch: 1, onMessage: taken.onMessage });
      await first.close();
      await taken.has(1);
      expect(taken.bodies()).toEqual(['work']);
      expect(kept.deliveries[0]?.lost.aborted).toBe(true);
    });

    it('keeps messages for a durable subscription while nothing listens, until it is removed', async () => {
      const name = `durable.${process.pid}.${(names += 1)}`;
      const topic = fresh('topic');
      const listen = async () => {
        const got = collector();
        const durable = { id: 'd', destination: topic, ack: 'each', durableName: name } as const;
        return { got, connection: await open([{ ...durable, onMessage: got.onMessage }], name) };
      };
      // Artemis refuses, and ends the connection, until it has noticed that the reader is gone.
      const remove = async (): Promise<void> => {
        const connection = await open([], name);
        const wasThere = await connection.forget({ destination: topic, durableName: name }).catch((error: SwfError) => {
          if (error.code !== 'BROKER_REFUSED') throw error;
        });
        await connection.close();
        if (wasThere === undefined) await remove();
      };
      const speaker = await open();
      const before = await listen();
      await speaker.send({ destination: topic, headers: { persistent: 'true' }, body: 'heard' });
      await before.got.has(1);
      await before.connection.close();
      await speaker.send({ destination: topic, headers: { persistent: 'true' }, body: 'kept' });
      const after = await listen();
      await after.got.has(1);
      expect(after.got.bodies()).toEqual(['kept']);
      await after.connection.close();
      await remove();
      await speaker.send({ destination: topic, headers: { persistent: 'true' }, body: 'for nobody' });
      const anew = await listen();
      await speaker.send({ destination: topic, headers: { persistent: 'true' }, body: 'anew' });
      await anew.got.has(1);
      expect(anew.got.bodies()).toEqual(['anew']);
      await anew.connection.close();
      await remove();
    });

    it('returns a message, and another connection receives it', async () => {
      const queue = fresh('queue');
      const [one, two] = [collector(false), collector()];
      const first = await open();
      first.subscribe({ id: 'a', destination: queue, ack: 'each', prefetch: 1, onMessage: one.onMessage });
      await first.send({ destination: queue, headers: { persistent: 'true' }, body: 'work' });
      await one.has(1);
      const second = await open();
      second.subscribe({ id: 'b', destination: queue, ack: 'each', prefetch: 1, onMessage: two.onMessage });
      // The first one may receive it again, and returns it each time.
      for (let times = 1; two.deliveries.length === 0; times += 1) {
        one.deliveries[times - 1]?.giveBack();
        await Promise.race([two.has(1), one.has(times + 1)]);
      }
      expect(two.bodies()).toEqual(['work']);
      expect(two.deliveries[0]?.isWhole).toBe(true);
    });

    it('delivers each message of a durable subscription to one listener at a time', async () => {
      const name = `durable.${process.pid}.${(names += 1)}`;
      const topic = fresh('topic');
      const got = [collector(), collector()];
      const subscribe = async ({
        onMessage,
      }: {
        onMessage: (delivery: Delivery) => void;
      }): Promise<BrokerConnection> => {
        const connection = brokerUnderTest().connection(name);
        onTestFinished(() => connection.close());
        connection.subscribe({ id: 'd', destination: topic, ack: 'each', durableName: name, onMessage });
        const up = connection.connect({ once: false });
        await Promise.race([up, new Promise((resolve) => setTimeout(resolve, 300))]);
        return connection;
      };
      const [first] = [await subscribe(got[0] as (typeof got)[0]), await subscribe(got[1] as (typeof got)[0])];
      const speaker = await open();
      for (const body of ['1', '2']) await speaker.send({ destination: topic, headers: { persistent: 'true' }, body });
      const both = (): string[] => got.flatMap(({ bodies }) => bodies()).toSorted();
      await expect.poll(both).toEqual(['1', '2']);
      await first.close();
      await speaker.send({ destination: topic, headers: { persistent: 'true' }, body: '3' });
      // A second one that stood by takes over within a few seconds.
      await expect.poll(both).toEqual(['1', '2', '3']);
    });

    it('reconnects after a break with its subscriptions, and rejects a send meanwhile', async () => {
      const connection = await open();
      const [queue, got] = [fresh('queue'), collector()];
      connection.subscribe({ id: 'a', destination: queue, ack: 'each', onMessage: got.onMessage });
      const up = new Promise<void>((resolve) => connection.onUp(resolve));
      await brokerUnderTest().goDown();
      await expect(connection.send({ destination: queue, headers: {}, body: 'down' })).rejects.toThrow();
      await brokerUnderTest().comeUp();
      await up;
      await connection.send({ destination: queue, headers: { persistent: 'true' }, body: 'after' });
      await got.has(1);
      expect(got.bodies()).toEqual(['after']);
    });
  });
}
