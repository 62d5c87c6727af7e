import { describe, expect, it } from 'vitest';

import {
  dropUnsentSlices,
  markSent,
  markUnsendable,
  reviveUnsendable,
  sendAgain,
  unsentOf,
  unsentRows,
} from '../../../src/db/log/outbox.ts';
import { makeRunningStore, noCounts, sayShortExecutions } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const stf = (n: number): string => `swf.100010.${String(n).padStart(6, '0')}.stf`;
const [early, late] = ['2026-11-28T10:00:00.000Z', '2026-11-28T10:00:05.000Z'];
const tf = stf(1).replace('.stf', '_tf_001.tf');
const slice = stf(1).replace('.stf', '_slice_000.tf');

/** A running execution with three unsent rows: two STFs and a slice. */
async function withOutbox() {
  const made = await makeRunningStore();
  const { store } = made;
  const out = (recordedAt: string) => ({ goesOut: true, recordedAt });
  const first = await made.say('stf_gen', { filename: stf(1), sequence: 1, tf_count: 100 }, out(late));
  const second = await made.say('stf_gen', { filename: stf(2), sequence: 2, tf_count: 100 }, out(early));
  const sample = { tf_filename: tf, stf_filename: stf(1), tf_first: 0, tf_last: 14, tf_count: 15 };
  // It came over the broker.
  const sampled = await made.say('tf_file_registered', sample, { fromBroker: true });
  const cut = {
    slice_id: 0,
    slice_filename: slice,
    tf_filename: tf,
    stf_filename: stf(1),
    start: 0,
    end: 0,
    tf_count: 1,
  };
  const sliced = await made.say('slice', { ...cut, attempt: 1 }, out(late));
  const unsent = (namespace = 'test', after = 0, limit = 100): number[] =>
    unsentRows(store.sql, namespace, after, limit).map(({ seq }) => seq);
  return { ...made, first, second, sampled, sliced, unsent };
}

describe('unsent messages', () => {
  it('are listed by namespace in log order, after a given row, up to a limit', async () => {
    const { store, first, second, sliced, unsent } = await withOutbox();
    expect(unsent()).toEqual([first.seq, second.seq, sliced.seq]);
    expect(unsent('test', first.seq)).toEqual([second.seq, sliced.seq]);
    expect(unsent('test', 0, 2)).toEqual([first.seq, second.seq]);
    expect(unsent('prod')).toEqual([]);
    expect(unsentRows(store.sql, 'test', sliced.seq - 1, 1)).toEqual([
      {
        seq: sliced.seq,
        message_id: `${id}/slice/${slice}/1`,
        message_type: 'slice',
        namespace: 'test',
        execution_id: id,
        run_id: '100010',
        payload: expect.stringContaining(`"slice_filename":"${slice}"`),
      },
    ]);
  });

  it('are counted, with the time of the oldest', async () => {
    const { store, second, unsent } = await withOutbox();
    expect(unsentOf(store.sql, 'test')).toEqual({ count: 3, oldest: Date.parse(early) });
    expect(unsentOf(store.sql, 'prod')).toEqual({ count: 0, oldest: undefined });
    await store.write((tx) => markSent(tx, [second.seq]));
    expect(unsentOf(store.sql, 'test')).toEqual({ count: 2, oldest: Date.parse(late) });
    await store.write((tx) => markSent(tx, unsent()));
    expect(unsentOf(store.sql, 'test')).toEqual({ count: 0, oldest: undefined });
  });

  it('are marked as sent at the current time, and only if named', async () => {
    const { store, first, second, sliced, unsent } = await withOutbox();
    await store.write((tx) => markSent(tx, []));
    expect(unsent()).toHaveLength(3);
    await store.write((tx) => markSent(tx, [first.seq, sliced.seq]));
    expect(unsent()).toEqual([second.seq]);
    const sent = store.db.prepare('SELECT outbox_sent_at FROM message_rows WHERE seq = ?').pluck();
    expect(Math.abs(Date.parse(sent.get(first.seq) as string) - Date.now())).toBeLessThan(60_000);
  });

  it("include messages to be sent again, whether the store's own or received", async () => {
    const { store, first, sampled, sliced, unsent } = await withOutbox();
    await store.write((tx) => markSent(tx, unsent()));
    const again = [first.message_id, sampled.message_id, 'nothing'];
    expect(await store.write((tx) => sendAgain(tx, again))).toEqual(new Set([id]));
    expect(unsent()).toEqual([first.seq, sampled.seq]);
    expect(await store.write((tx) => sendAgain(tx, ['nothing']))).toEqual(new Set());
    expect(await store.write((tx) => sendAgain(tx, [sliced.message_id]))).toEqual(new Set([id]));
    expect(unsent()).toContain(sliced.seq);
  });

  it('belong to no execution if they name none', async () => {
    const { store, say } = await withOutbox();
    const note = { command_id: 'n1', text: 'the beam is off', author: 'ana', execution_id: undefined };
    const { message_id } = await say('note', note);
    expect(await store.write((tx) => sendAgain(tx, [message_id]))).toEqual(new Set());
  });

  it('of a given execution can be dropped if they are slices', async () => {
    const { store, first, second, sliced, unsent } = await withOutbox();
    await store.write((tx) => dropUnsentSlices(tx, 'another'));
    expect(unsent()).toContain(sliced.seq);
    await store.write((tx) => dropUnsentSlices(tx, id));
    expect(unsent()).toEqual([first.seq, second.seq]);
  });
});

describe('messages that the broker refuses', () => {
  it('are sent again only when a new recorder retries them during their execution', async () => {
    const { store, first, sampled, unsent } = await withOutbox();
    await store.write((tx) => {
      markSent(tx, unsent());
      sendAgain(tx, [first.message_id, sampled.message_id]);
    });
    await store.write((tx) => {
      markUnsendable(tx, first.seq);
      markUnsendable(tx, sampled.seq);
    });
    expect(unsent()).toEqual([]);
    await store.write((tx) => reviveUnsendable(tx, 'prod'));
    expect(unsent()).toEqual([]);
    await store.write((tx) => reviveUnsendable(tx, 'test'));
    expect(unsent()).toEqual([first.seq, sampled.seq]);
    // A message that came over the broker is still marked as such.
    const goesOut = store.db.prepare('SELECT goes_out FROM message_rows WHERE seq = ?').pluck();
    expect([goesOut.get(first.seq), goesOut.get(sampled.seq)]).toEqual([1, 2]);
  });

  it("can be sent again by id, each still marked as the store's own or as received", async () => {
    const { store, first, sampled } = await withOutbox();
    const goesOut = store.db.prepare('SELECT goes_out FROM message_rows WHERE seq = ?').pluck();
    await store.write((tx) => {
      sendAgain(tx, [sampled.message_id]);
      markUnsendable(tx, first.seq);
      markUnsendable(tx, sampled.seq);
    });
    expect([goesOut.get(first.seq), goesOut.get(sampled.seq)]).toEqual([0, 3]);
    await store.write((tx) => sendAgain(tx, [first.message_id, sampled.message_id]));
    expect([goesOut.get(first.seq), goesOut.get(sampled.seq)]).toEqual([1, 2]);
  });

  it('are not retried if their execution has ended', async () => {
    const made = await withOutbox();
    const { store, first, unsent } = made;
    await sayShortExecutions(made, 1);
    await store.write((tx) => {
      markSent(tx, unsent());
      sendAgain(tx, [first.message_id]);
      markUnsendable(tx, first.seq);
    });
    await made.say('workflow_ended', { status: 'completed', reason: 'completed', ...noCounts });
    await store.write((tx) => reviveUnsendable(tx, 'test'));
    expect(unsent()).toEqual([]);
  });
});
