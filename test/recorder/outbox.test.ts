import { describe, expect, it, onTestFinished } from 'vitest';

import { noteNewPlace } from '../../src/db/execution/file-places.ts';
import { SwfError } from '../../src/lib/errors.ts';
import type { Message } from '../../src/messages/message.ts';
import { createOutbox } from '../../src/recorder/outbox.ts';
import { collector } from '../broker/connection-suite.ts';
import { useFastTime } from '../fast-time.ts';
import { messageOf, sampleFields, saySample, saySlices } from './driven.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from './setup.ts';

function open(made: Exchange, replyTo?: string) {
  const [unsendable, reasons]: [string[], string[]] = [[], []];
  const { store, ours, faults } = made;
  const outbox = createOutbox({
    store,
    broker: ours,
    namespace,
    storeId: 'S',
    destinations,
    replyTo: () => replyTo,
    onUnsendable(id, error) {
      unsendable.push(id);
      reasons.push(error.line);
    },
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
  return { outbox, got, say, unsendable, reasons };
}

useFastTime(30);

const registered = messageOf('tf_file_registered', sampleFields(''));

const sequenceOf = ({ body }: { body: string }): unknown => (JSON.parse(body) as Message<'stf_gen'>).sequence;

describe('an outbox', () => {
  it('sends rows with their headers, and is flushed when they are confirmed', async () => {
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

  it('keeps messages while the broker is away, and sends them when it is back', async () => {
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

  it('resends a message cut off by a break, even if the broker is back at once', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    await say(1);
    outbox.pump();
    made.broker.goDown();
    made.broker.comeUp();
    await got.has(1);
    expect(await outbox.flushed(1000)).toBe(true);
  });

  it('sends many rows in order, each once', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made);
    await Promise.all(Array.from({ length: 600 }, (_, index) => say(index + 1)));
    outbox.pump();
    await got.has(600);
    expect(got.deliveries.map(sequenceOf)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  });

  it('skips a message that the broker keeps refusing, reports it once, and sends the next', async () => {
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

  it('retries a message that breaks the connection each time, reports it once, and sends the next', async () => {
    const made = await setUp();
    const { outbox, got, say, unsendable, reasons } = open(made);
    const id = await say(1);
    let isBad = true;
    made.broker.refuse(({ body }) => {
      if (!isBad || !body.includes('000001.stf')) return false;
      made.broker.goDown();
      made.broker.comeUp();
      throw new SwfError('BROKER_UNREACHABLE', 'the connection has ended');
    });
    await say(2);
    outbox.pump();
    await expect.poll(() => unsendable).toEqual([id]);
    expect(reasons).toEqual(['BROKER_REFUSED: sending it broke the connection 5 times; retrying every minute']);
    expect(got.bodies()).toContainEqual(expect.stringContaining('000002.stf'));
    isBad = false;
    expect(await outbox.flushed(120_000)).toBe(true);
    expect(got.bodies().filter((body) => body.includes('000001.stf'))).toHaveLength(1);
    expect(unsendable).toHaveLength(1);
  });

  it.each([undefined, '/queue/results.of.one.store'])(
    'sends a slice with headers for its kind of work and reply_to: %s',
    async (replyTo) => {
      const made = await setUp();
      const { outbox, say } = open(made, replyTo);
      await saySample(made);
      const [first] = await saySlices(made, 1, { file_url: 'http://a:1/data/x/file.tf' });
      await say(2);
      const slices = collector();
      made.theirs.subscribe({ id: 's', destination: destinations.slices, ack: 'auto', onMessage: slices.onMessage });
      outbox.pump();
      await slices.has(1);
      const [slice] = slices.deliveries;
      expect(slice?.headers).toMatchObject({
        msg_type: 'slice',
        namespace,
        execution_id,
        store_id: 'S',
        file_place: 'http://a:1/data',
        payload: 'placeholder',
        tf_filename: 'swf.100010.000001_tf_001.tf',
      });
      expect(slice?.headers['reply_to']).toBe(replyTo);
      expect(JSON.parse(slice?.body ?? '')).toMatchObject({ message_id: first, file_url: 'http://a:1/data/x/file.tf' });
    },
  );

  it('sends slices with the newest place of their file, and other messages without a place', async () => {
    const made = await setUp();
    const { outbox, got, say } = open(made, '/queue/r');
    await saySample(made);
    await made.store.write((tx) => noteNewPlace(tx, { ...registered, file_url: 'http://b:2/data/x/file.tf' }));
    await saySlices(made, 1, { file_url: 'http://a:1/data/x/file.tf' });
    await say(2);
    const slices = collector();
    made.theirs.subscribe({ id: 's', destination: destinations.slices, ack: 'auto', onMessage: slices.onMessage });
    outbox.pump();
    await Promise.all([slices.has(1), got.has(1)]);
    const [slice, stf] = [slices.deliveries[0], got.deliveries[0]];
    expect(slice?.headers['file_place']).toBe('http://b:2/data');
    expect(JSON.parse(slice?.body ?? '')).toMatchObject({ file_url: 'http://b:2/data/x/file.tf', slice_id: 0 });
    for (const header of ['file_place', 'reply_to']) expect(stf?.headers).not.toHaveProperty(header);
  });
});
