import { describe, expect, it, vi } from 'vitest';

import type { Transaction } from '../../src/db/sqlite/transaction.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { turns } from '../still-time.ts';
import { messageOf, sampleFields, saySample, saySlices, workFields } from './driven.ts';
import { delivery, listen, rows, setUpWithFiles, stf } from './inbox-setup.ts';
import { destinations, execution_id, namespace, setUp } from './setup.ts';

const { broadcast, results } = destinations;

const word = (type: Parameters<typeof messageOf>[0], fields: object): string => JSON.stringify(messageOf(type, fields));

const sample = word('tf_file_registered', { ...sampleFields('http://a:1/data/x/file.tf'), sender: 'fastmon-1' });

describe('the callbacks of an inbox', () => {
  it('report each readable message, and whether it is new', async () => {
    const made = await setUp();
    await saySample(made);
    await saySlices(made, 2);
    const { inbox, noted, begun, recorded } = listen(made);
    const { onMessage } = inbox.work('results', results);
    const places = inbox.work('broadcast', broadcast);
    const began = word('slice_started', workFields(0));
    for (let round = 0; round < 2; round += 1) {
      onMessage(delivery(began));
      onMessage(delivery(word('slice_returned', { ...workFields(1), reason: 'NO_FILE' })));
      onMessage(delivery(word('slice_result', { ...workFields(0), state: 'done' })));
      places.onMessage(delivery(sample));
      // Unreadable messages and those on the wrong destination are not reported.
      onMessage(delivery('{broken'));
      onMessage(delivery(sample));
      await turns();
    }
    const told = noted.filter((line) => line !== 'heard' && line !== 'broadcast');
    const types = ['slice_started', 'slice_returned', 'slice_result'];
    const sampled = ['tf_file_registered', 'tf_file_registered'];
    expect(told.toSorted()).toEqual([...types, ...types.map((type) => `new ${type}`), ...sampled].toSorted());
    expect(noted.filter((line) => line === 'heard')).toHaveLength(12);
    expect(noted.filter((line) => line === 'broadcast')).toHaveLength(2);
    // Each of them was new once; the sample was known before.
    expect(recorded.toSorted()).toEqual(['slice_result', 'slice_returned', 'slice_started']);
    // A result that arrives with its start does not make that late.
    expect(begun).toEqual([false, true]);
    expect(made.faults).toEqual([]);
  });

  it('report the types of new messages, and of late messages that take effect with them', async () => {
    const made = await setUp();
    await saySample(made);
    await saySlices(made, 1);
    // It waits for the failure of the first attempt.
    await saySlices(made, 1, { attempt: 2 });
    const { inbox, told } = listen(made);
    const { onMessage } = inbox.work('results', results);
    for (let round = 0; round < 2; round += 1) {
      onMessage(delivery(word('slice_result', { ...workFields(0), state: 'failed', error: 'no memory' })));
      onMessage(delivery('not a message'));
      await turns();
    }
    expect(told).toEqual([['slice_result', 'slice']]);
  });
});

describe('an inbox', () => {
  it('selects the results of its own store, and takes everything on its own queue', async () => {
    const made = await setUpWithFiles();
    const { inbox } = listen(made);
    expect(inbox.work('r', results, { store: 'S' })).toMatchObject({
      id: 'r',
      destination: results,
      ack: 'each',
      prefetch: 256,
    });
    expect(inbox.work('r', results, { store: 'S' }).only?.()).toEqual({ namespace, store: { is: 'S' } });
    expect(inbox.work('r', results).only?.()).toEqual({ namespace });
    const own = inbox.work('r', results, { place: '/queue/own' });
    expect([own.destination, own.only]).toEqual(['/queue/own', undefined]);
    // It is checked as a message to the queue of results.
    await saySample(made);
    await saySlices(made, 1);
    own.onMessage(delivery(word('slice_started', workFields(0))));
    await turns();
    expect(rows(made).at(-1)).toMatchObject({ type: 'slice_started', effect: 'applied' });
  });

  it('acknowledges messages from another namespace immediately, without recording them', async () => {
    const made = await setUpWithFiles();
    const { inbox } = listen(made);
    const { onMessage } = inbox.work('broadcast', broadcast);
    let acknowledged = 0;
    onMessage(delivery(stf(1), () => void (acknowledged += 1), { namespace: 'other' }));
    expect(acknowledged).toBe(1);
    await turns();
    expect(rows(made)).toEqual([]);
    // The header takes precedence over the body.
    onMessage(delivery(stf(1).replace('"test"', '"other"'), () => void (acknowledged += 1)));
    await turns();
    expect([acknowledged, rows(made).length]).toEqual([2, 1]);
  });

  it('marks a message that arrived over the broker as sent, so that it is not sent back', async () => {
    const made = await setUpWithFiles();
    const { inbox } = listen(made);
    await inbox.record(broadcast, delivery(stf(1)));
    const sent = made.store.db.prepare('SELECT outbox_sent_at IS NOT NULL AS sent FROM message_rows WHERE seq > 6');
    expect(sent.all()).toEqual([{ sent: 1 }]);
  });

  it('records a message on request, as applied or refused, without acknowledging it', async () => {
    const made = await setUpWithFiles();
    const { inbox } = listen(made);
    let acknowledged = 0;
    const count = (): void => void (acknowledged += 1);
    await inbox.record(broadcast, delivery(stf(1), count));
    await inbox.record(broadcast, delivery(stf(2), count), 'too many at once');
    await inbox.record(results, delivery(stf(3), count));
    expect(acknowledged).toBe(0);
    expect(reasons(made)).toEqual([
      null,
      'too many at once',
      `stf_ready is accepted only from ${broadcast}, but arrived on ${results}`,
    ]);
  });
});

const reasons = ({ store }: Awaited<ReturnType<typeof setUp>>): unknown[] =>
  store.db
    .prepare<[], { reason: string }>('SELECT effect_reason AS reason FROM workflow_messages WHERE seq > 6')
    .all()
    .map(({ reason }) => reason);

describe('a message that breaks its transaction', () => {
  /** Makes recording fail for messages for which `fails` returns an error. */
  async function breaking(fails: (body: string) => Error | undefined) {
    const made = await setUpWithFiles();
    const { messages } = made.store;
    const recordReceived = messages.recordReceived.bind(messages);
    messages.recordReceived = (tx: Transaction, received, circumstances) => {
      const error = received.decoded.kind === 'rejected' ? undefined : fails(received.body);
      if (error !== undefined) throw error;
      return recordReceived(tx, received, circumstances);
    };
    const heard = listen(made);
    const acknowledged: number[] = [];
    const { onMessage } = heard.inbox.work('broadcast', broadcast);
    for (const sequence of [1, 2, 3]) onMessage(delivery(stf(sequence), () => void acknowledged.push(sequence)));
    await turns(30);
    return { ...made, ...heard, acknowledged };
  }

  it('is recorded as rejected with the reason, and the other messages of the transaction are applied', async () => {
    const made = await breaking((body) => (body.includes('000002.stf') ? new Error('a bug') : undefined));
    expect(rows(made).map((row) => (row as { effect: string }).effect)).toEqual(['applied', 'rejected', 'applied']);
    expect(reasons(made)).toEqual([null, 'cannot be recorded: a bug', null]);
    expect(made.recorded).toEqual(['stf_ready', 'stf_ready']);
    expect([made.acknowledged, made.faults]).toEqual([[1, 2, 3], []]);
  });

  it('is a fault if the store cannot be written to; nothing is acknowledged or rejected', async () => {
    const full = new SwfError('STORE_UNAVAILABLE', 'the disk is full');
    const made = await breaking(() => full);
    expect([rows(made), made.acknowledged, made.faults]).toEqual([[], [], [full]]);
  });

  it('is a fault even if the store fails only when the message is recorded alone', async () => {
    const full = new SwfError('STORE_UNAVAILABLE', 'the disk is full');
    let tries = 0;
    const made = await breaking((body) => {
      if (!body.includes('000002.stf')) return undefined;
      tries += 1;
      return tries > 2 ? full : new Error('a bug');
    });
    expect([made.faults, made.acknowledged]).toEqual([[full], []]);
    expect(rows(made)).toHaveLength(1);
  });
});

it('an inbox continues with the next message after a fault', async () => {
  const made = await setUpWithFiles();
  const { inbox, strays } = listen(made);
  const { onMessage } = inbox.work('broadcast', broadcast);
  vi.spyOn(made.store.messages, 'isSettled').mockImplementationOnce(() => {
    throw new SwfError('STORE_UNAVAILABLE', 'the store is away');
  });
  onMessage(delivery(stf(1)));
  await turns();
  expect(made.faults).toHaveLength(1);
  onMessage(delivery(stf(2)));
  onMessage(delivery(stf(1).replace(`"execution_id":"${execution_id}",`, '')));
  await turns();
  expect(rows(made)).toHaveLength(2);
  expect(strays).toEqual([]);
});
