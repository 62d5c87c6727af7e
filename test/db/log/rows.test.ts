import { describe, expect, it } from 'vitest';

import { cameOverBroker, findRow, happenedAt, insertRow } from '../../../src/db/log/rows.ts';
import type { Effect } from '../../../src/domain/effects.ts';
import { makeStore } from '../../made-store.ts';

const [sent, came] = ['2026-11-28T10:00:00.000Z', '2026-11-28T10:00:04.000Z'];
const envelope = {
  msg_type: 'stf_gen',
  sender: 'daq-1',
  namespace: 'test',
  execution_id: 'e-1',
  run_id: '7',
  timestamp: sent,
};
const ofApplied: Effect = { effect: 'applied' };

type Insert = Parameters<typeof insertRow>;

async function emptyLog() {
  const { store } = await makeStore();
  const insert = (row: Partial<Insert[1]>, effect: Effect, circumstances: Insert[3]) =>
    store.write((tx) =>
      insertRow(
        tx,
        { envelope, message_id: 'm-1', destination: '/topic/epictopic', payload: '{"more":"é"}', ...row },
        effect,
        circumstances,
      ),
    );
  const view = (seq: number): any => store.db.prepare('SELECT * FROM workflow_messages WHERE seq = ?').get(seq);
  const row = (seq: number): any => store.db.prepare('SELECT * FROM message_rows WHERE seq = ?').get(seq);
  return { store, insert, view, row };
}

describe('a row of the log', () => {
  it('contains the sender, message, run, times and effect', async () => {
    const { store, insert, view } = await emptyLog();
    const recorded = await insert({ envelope: { ...envelope, simulation_tick: 12.5, message_id: 'mine' } }, ofApplied, {
      recordedAt: came,
    });
    expect(recorded).toEqual({
      seq: 1,
      message_id: 'm-1',
      effect: 'applied',
      effect_code: null,
      effect_reason: null,
      execution_id: 'e-1',
      isNew: true,
    });
    expect(view(1)).toMatchObject({
      message_id: 'm-1',
      message_type: 'stf_gen',
      sender_agent: 'daq-1',
      namespace: 'test',
      execution_id: 'e-1',
      run_id: '7',
      destination: '/topic/epictopic',
      sent_at: sent,
      recorded_at: came,
      simulation_tick: '12.5',
      effect: 'applied',
      awaits: null,
      wire_message_id: 'mine',
      goes_out: null,
      outbox_sent_at: null,
      payload: '{"more":"é"}',
    });
    const { isNew: _, ...found } = recorded;
    expect(findRow(store.sql, 'm-1')).toEqual({ ...found, destination: '/topic/epictopic', payload: '{"more":"é"}' });
    expect(findRow(store.sql, 'm-2')).toBeUndefined();
  });

  it('has null for what the message omits', async () => {
    const { insert, view } = await emptyLog();
    const recorded = await insert({ envelope: { msg_type: 'heartbeat' } }, ofApplied, { recordedAt: came });
    expect(recorded.execution_id).toBeNull();
    expect(view(1)).toMatchObject({
      message_type: 'heartbeat',
      sender_agent: null,
      namespace: null,
      execution_id: null,
      run_id: null,
      simulation_tick: null,
      wire_message_id: null,
      sent_at: came,
    });
  });

  it('records why its message had no effect, and what it is waiting for', async () => {
    const { insert, view } = await emptyLog();
    const waits: Effect = { effect: 'none', code: 'WAITS', reason: 'waits for a.stf', awaits: 'a.stf' };
    expect(await insert({}, waits, {})).toMatchObject({ effect: 'none', effect_code: 'WAITS' });
    const refused: Effect = { effect: 'conflict', code: 'CONTRADICTION', reason: 'says other things' };
    await insert({ message_id: 'm-2' }, refused, {});
    expect([view(1), view(2)]).toMatchObject([
      { effect: 'none', effect_code: 'WAITS', effect_reason: 'waits for a.stf', awaits: 'a.stf' },
      { effect: 'conflict', effect_code: 'CONTRADICTION', effect_reason: 'says other things', awaits: null },
    ]);
  });

  it.each([
    ['given by the caller', '2026-11-28T09:59:59.000Z', sent, '2026-11-28T09:59:59.000Z'],
    ['of the message', undefined, '2026-11-28T11:00:00+01:00', sent],
    ['equal to its recording time if the message has none', undefined, undefined, came],
    ['equal to its recording time if the time in the message has no zone', undefined, '2026-11-28T11:00:00', came],
  ])('has the sending time %s', async (_, sentAt, timestamp, expected) => {
    const { insert, view } = await emptyLog();
    await insert({ envelope: { ...envelope, timestamp } }, ofApplied, { sentAt, recordedAt: came });
    expect(view(1)).toMatchObject({ sent_at: expected, recorded_at: came });
  });

  it('gets the number that a replay assigns, or the next free one', async () => {
    const { insert } = await emptyLog();
    expect(await insert({}, ofApplied, { seq: 7 })).toMatchObject({ seq: 7 });
    expect(await insert({ message_id: 'm-2' }, ofApplied, {})).toMatchObject({ seq: 8 });
  });

  it.each([
    ['stf_gen', '/topic/epictopic', null],
    ['stf_gen', '/queue/elsewhere', '/queue/elsewhere'],
    ['heartbeat', '/topic/epictopic', '/topic/epictopic'],
  ])(
    'stores its destination only if it is unusual, but always returns it: %s to %s',
    async (msg_type, destination, stored) => {
      const { insert, view, row } = await emptyLog();
      await insert({ envelope: { ...envelope, msg_type }, destination }, ofApplied, {});
      expect([row(1).destination, view(1).destination]).toEqual([stored, destination]);
    },
  );

  it.each([
    ['sent to others', { goesOut: true }, { goes_out: 1, outbox_sent_at: null, heard: 0, happened: sent }],
    [
      'received over the broker',
      { fromBroker: true },
      { goes_out: null, outbox_sent_at: came, heard: 1, happened: came },
    ],
    ['for this store only', {}, { goes_out: null, outbox_sent_at: null, heard: 0, happened: sent }],
  ])('records its route, which decides whose clock sets its time: %s', async (_, way, expected) => {
    const { store, insert } = await emptyLog();
    await insert({}, ofApplied, { ...way, recordedAt: came });
    const told = `SELECT goes_out, outbox_sent_at, iif(${cameOverBroker}, 1, 0) AS heard, ${happenedAt} AS happened FROM message_rows`;
    expect(store.db.prepare(told).get()).toEqual(expected);
  });
});

describe('the body of a row', () => {
  const payload =
    '{"msg_type":"stf_gen","sequence":1,"sender":"daq-1","namespace":"test","execution_id":"e-1","run_id":"7",' +
    `"timestamp":"${sent}","message_id":"m-1"}`;
  const heard = { headers: '{"type":"stf_gen"}' };
  const rejected: Effect = { effect: 'rejected', code: 'UNREADABLE', reason: 'has no name' };

  it.each([
    ['without its envelope', ofApplied, {}, { is_whole: 0, body: '{"sequence":1}', headers: null }],
    ['whole if it could not be read', rejected, {}, { is_whole: 1, body: payload, headers: null }],
    ['whole with its headers if another program sent it', ofApplied, heard, { is_whole: 1, body: payload, ...heard }],
  ])('is stored %s', async (_, effect, circumstances, stored) => {
    const { insert, view, row } = await emptyLog();
    await insert({ payload }, effect, circumstances);
    expect(row(1)).toMatchObject(stored);
    expect(view(1).payload).toBe(payload);
  });
});

describe('a logbook entry', () => {
  it.each([
    ['a note recorded here', {}, true],
    ['not a note that came over a broker', { fromBroker: true }, false],
    ['not a note from another program', { headers: '{}' }, false],
  ])('is %s', async (_, circumstances, isEntry) => {
    const { store, insert } = await emptyLog();
    await insert({ envelope: { msg_type: 'note', sender: 'ana' } }, ofApplied, circumstances);
    const entries = store.db.prepare('SELECT count(*) FROM message_rows WHERE (rare & 32) <> 0').pluck();
    expect(entries.get()).toBe(isEntry ? 1 : 0);
  });
});
