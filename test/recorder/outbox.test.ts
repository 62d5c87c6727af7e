import { describe, expect, it, onTestFinished } from 'vitest';

import type { Message } from '../../src/messages/message.ts';
import { Outbox } from '../../src/recorder/outbox.ts';
import { collector } from '../broker/connection-suite.ts';
import { useFastTime } from '../fast-time.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from './setup.ts';

function open(made: Exchange) {
  const unsendable: string[] = [];
  const { store, ours, faults } = made;
  const outbox = new Outbox({
    store,
    broker: ours,
    namespace,
    storeId: 'S',
    destinations,
    replyTo: () => undefined,
    onUnsendable: (id) => unsendable.push(id),
    onFault: (error) => faults.push(error),
  });
  onTestFinished(() => outbox.close());
  const got = collector();
  made.theirs.subscribe({ id: 'all', destination: destinations.broadcast, ack: 'auto', onMessage: got.onMessage });
  const say = (sequence: number): Promise<string> =>
    store.write((tx) => {
      const filename = `swf.100010.${String(sequence).padStart(6, '0')}.stf`;
      const envelope = {
        sender: 'daq-1',
        namespace,
        execution_id,
        run_id: '100010',
        timestamp: new Date().toISOString(),
      };
      const message: Message<'stf_gen'> = { ...envelope, msg_type: 'stf_gen', filename, sequence, tf_count: 100 };
      return store.messages.record(tx, message, { goesOut: true }).message_id;
    });
  return { outbox, got, say, unsendable };
}

useFastTime(30);

const sequenceOf = ({ body }: { body: string }): unknown => (JSON.parse(body) as Message<'stf_gen'>).sequence;

describe('an outbox', () => {
  it('sends the rows of its process with their headers, and knows when they are confirmed', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    await say(1);
    outbox.pump();
    await got.has(1);
    expect(got.deliveries[0]).toMatchObject({
      headers: { msg_type: 'stf_gen', namespace, run_id: '100010', vo: 'eic', persistent: 'true', store_id: 'S' },
    });
    expect(got.deliveries.map(sequenceOf)).toEqual([1]);
    expect(await outbox.flushed(1000)).toBe(true);
    expect(made.faults).toEqual([]);
  });

  it('keeps what it cannot send, and sends it when the broker is back', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    made.broker.goDown();
    await say(1);
    outbox.pump();
    expect(await outbox.flushed(0)).toBe(false);
    made.broker.comeUp();
    await got.has(1);
    expect(got.deliveries).toHaveLength(1);
  });

  it('sends again what was cut off, also where the broker is back before that is known', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    await say(1);
    outbox.pump();
    made.broker.goDown();
    made.broker.comeUp();
    await got.has(1);
    expect(await outbox.flushed(1000)).toBe(true);
  });

  it('sends many rows in their order, and none twice', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    for (let sequence = 1; sequence <= 600; sequence += 1) await say(sequence);
    outbox.pump();
    await got.has(600);
    expect(got.deliveries.map(sequenceOf)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  });

  it('leaves out a message that the broker refuses three times, tells it once, and sends the next', async () => {
    const made = await setUp();
    const { outbox, got, say, unsendable } = open(made);
    const id = await say(1);
    made.broker.refuse(({ body }) => body.includes('000001.stf'));
    await say(2);
    outbox.pump();
    await got.has(1);
    expect(await outbox.flushed(20_000)).toBe(true);
    expect(unsendable).toEqual([id]);
    expect(got.bodies()).toEqual([expect.stringContaining('000002.stf')]);
  });
});
