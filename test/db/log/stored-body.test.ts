import { describe, expect, it } from 'vitest';

import { storedBody } from '../../../src/db/log/rows.ts';
import { makeRunningStore } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const sent = '2026-11-28T10:00:00.000Z';
const envelope = { msg_type: 'pause_run', sender: 'daq-1', namespace: 'test', execution_id: id, run_id: '100010' };
const message_id = `${id}/pause_run/1`;

interface Parts {
  fields?: string;
  from?: Partial<typeof envelope>;
  at?: string;
  tick?: string;
  message?: string;
}

/** A body as our own agents write it: the fields, then the envelope. */
function bodyOf({
  fields = ',"ordinal":1,"reason":"period"',
  from = {},
  at = sent,
  tick = '',
  message = message_id,
}: Parts = {}): string {
  const { msg_type, sender, namespace, execution_id, run_id } = { ...envelope, ...from };
  return (
    `{"msg_type":"${msg_type}"${fields},"sender":"${sender}","namespace":"${namespace}","execution_id":"${execution_id}",` +
    `"run_id":"${run_id}","timestamp":"${at}"${tick},"message_id":"${message}"}`
  );
}

const said = (payload: string, also: object = {}) => ({ payload, message_id, envelope: { ...envelope, ...also } });

describe('the stored body of a message', () => {
  it.each([
    ['a body with fields', bodyOf(), {}, '{"ordinal":1,"reason":"period"}'],
    ['a body without fields', bodyOf({ fields: '' }), {}, '{}'],
    [
      'a body with a simulated time',
      bodyOf({ tick: ',"simulation_tick":12.5' }),
      { simulation_tick: 12.5 },
      '{"ordinal":1,"reason":"period"}',
    ],
    [
      'a body with a simulated time of 0',
      bodyOf({ tick: ',"simulation_tick":0' }),
      { simulation_tick: 0 },
      '{"ordinal":1,"reason":"period"}',
    ],
  ])('has only the fields if the columns of its row hold the rest: %s', (_, payload, also, body) => {
    expect(storedBody(said(payload, also), sent, true)).toEqual({ body, is_whole: 0 });
  });

  it.each([
    ['of another type', bodyOf({ from: { msg_type: 'resume_run' } })],
    ['with a type that only starts with the expected one', bodyOf({ from: { msg_type: 'pause_run2' } })],
    ['of another sender', bodyOf({ from: { sender: 'daq-2' } })],
    ['of another namespace', bodyOf({ from: { namespace: 'prod' } })],
    ['of another execution', bodyOf({ from: { execution_id: 'other' } })],
    ['of another run', bodyOf({ from: { run_id: '100011' } })],
    ['sent at another time', bodyOf({ at: '2026-11-28T10:00:00Z' })],
    ['with a simulated time that no column has', bodyOf({ tick: ',"simulation_tick":12.5' })],
    ['with another id', bodyOf({ message: 'mine' })],
    ['with extra spaces', bodyOf({ fields: ', "ordinal": 1' }).replace('{"msg_type":', '{ "msg_type":')],
    ['without a comma after its type', bodyOf({ fields: ' ,"ordinal":1' })],
    ['that ends in a space', `${bodyOf()} `],
    ['of the type alone', '{"msg_type":"pause_run"'],
    ['of the envelope alone', bodyOf().slice(bodyOf().indexOf(',"sender"'))],
    [
      'that is shorter than its envelope',
      bodyOf({ fields: '' }).replace('{"msg_type":"pause_run"', '{"msg_type":"pause_run'),
    ],
    ['that is empty', ''],
  ])('is the whole text if the columns of its row do not hold the rest: a body %s', (_, payload) => {
    expect(storedBody(said(payload), sent, true)).toEqual({ body: payload, is_whole: 1 });
  });

  it.each(['sender', 'namespace', 'execution_id', 'run_id'])('is the whole text if its %s is missing', (field) => {
    const payload = bodyOf({ from: { [field]: 'undefined' } });
    expect(storedBody(said(payload, { [field]: undefined }), sent, true)).toEqual({ body: payload, is_whole: 1 });
  });

  it('is the whole text if it is not JSON, whatever it looks like', () => {
    expect(storedBody(said(bodyOf()), sent, false)).toEqual({ body: bodyOf(), is_whole: 1 });
  });

  it('yields the received text byte for byte, whether it was cut or kept whole', async () => {
    const { store, receive } = await makeRunningStore();
    const told: [payload: string, is_whole: number][] = [
      [bodyOf(), 0],
      [bodyOf({ fields: ',"ordinal":2,"reason":"period","text":"a, \\"b\\" and é"', message: `${id}/pause_run/2` }), 0],
      [
        bodyOf({
          fields: ',"ordinal":3,"reason":"period"',
          message: `${id}/pause_run/3`,
          tick: ',"simulation_tick":0.25',
        }),
        0,
      ],
      [bodyOf({ fields: ',"ordinal":4,"reason":"period"', message: 'mine' }), 1],
      ['{"msg_type":"pause_run"', 1],
    ];
    for (const [payload, is_whole] of told) {
      const { seq } = await store.write((tx) => receive(tx, '/topic/epictopic', payload));
      expect(store.db.prepare('SELECT payload, is_whole FROM workflow_messages WHERE seq = ?').get(seq)).toEqual({
        payload,
        is_whole,
      });
    }
  });
});
