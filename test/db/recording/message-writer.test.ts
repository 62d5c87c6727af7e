import { describe, expect, it } from 'vitest';

import type { Message } from '../../../src/messages/message.ts';
import { makeRunningStore, makeStore, noCounts } from '../../made-store.ts';
import { byWorker, envelope, row, sample, secondSlice, slice, state, stf, withSlice } from '../one-slice.ts';

describe('recording', () => {
  it('applies concurrent messages in order, and none after the end of the execution', async () => {
    const made = await withSlice();
    const { store } = made;
    await made.say('slice', { ...secondSlice, stf_filename: stf, start: 1, end: 1, tf_count: 1 });
    // The journal of an agent and the inbox of a broker write at the same moment.
    const result = { ...byWorker(1), msg_type: 'slice_result', state: 'done' as const };
    const said = (message: object): Message => ({ ...envelope, ...message }) as Message;
    const recorded = await Promise.all([
      store.write((tx) => store.messages.record(tx, said(result))),
      store.write((tx) =>
        store.messages.record(
          tx,
          said({ msg_type: 'workflow_ended', status: 'terminated', reason: 'stopped', ...noCounts }),
        ),
      ),
      store.write((tx) => store.messages.record(tx, said({ ...result, ...secondSlice }))),
    ]);
    expect(recorded.map(({ effect }) => effect)).toEqual(['applied', 'applied', 'none']);
    expect(state(made)).toMatchObject({ slices_completed: 1 });
  });

  it('gives the id of a message without effect to a later message that has an effect, and keeps both', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 100 });
    const registered = { tf_filename: sample, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 };
    const id = `stf_datataking-tester-0001/tf_file_registered/${sample}`;
    const forged = await made.say('tf_file_registered', { ...registered, tf_first: 500, tf_last: 514 });
    expect(forged).toMatchObject({ message_id: id, effect: 'none', effect_code: 'NOT_PLANNED' });
    const before = made.store.db.prepare('SELECT payload FROM workflow_messages WHERE seq = ?').pluck();
    const text = before.get(forged.seq);
    expect(await made.say('tf_file_registered', registered)).toMatchObject({ message_id: id, effect: 'applied' });
    const rows = made.store.db.prepare(`SELECT message_id, payload FROM workflow_messages WHERE message_id LIKE ?`);
    expect(rows.all(`${id}%`)).toEqual([
      { message_id: expect.stringMatching(/_tf_001\.tf#[0-9a-f]{8}$/), payload: text },
      { message_id: id, payload: expect.any(String) },
    ]);
    // From now on the id is taken, and another forged message is a conflict.
    expect(await made.say('tf_file_registered', { ...registered, tf_last: 13, tf_count: 14 })).toMatchObject({
      effect: 'conflict',
    });
    const { tf_files_received } = state(made);
    expect(tf_files_received).toBe(1);
  });

  it('applies a message with the right run after one with a wrong run', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const ready = { filename: stf, sequence: 1, tf_count: 100 };
    const wrong = { ...envelope, ...ready, msg_type: 'stf_ready', run_id: '1' } as Message;
    const { store } = made;
    expect(await store.write((tx) => store.messages.record(tx, wrong))).toMatchObject({ effect_code: 'OTHER_RUN' });
    expect(await made.say('stf_ready', ready)).toMatchObject({ effect: 'applied' });
  });

  it('assigns execution and run numbers once per run_workflow, however often it arrives', async () => {
    const made = await makeStore();
    const start = {
      command_id: 'c1',
      workflow_name: 'stf_datataking',
      params: {},
      executed_by: 'tester',
      speed: 1 as const,
    };
    expect(await made.say('run_workflow', start)).toMatchObject({
      isNew: true,
      execution_id: 'stf_datataking-tester-0001',
    });
    expect(await made.say('run_workflow', start)).toMatchObject({
      isNew: false,
      execution_id: 'stf_datataking-tester-0001',
    });
    expect(await made.say('run_workflow', { ...start, command_id: 'c2' })).toMatchObject({
      execution_id: 'stf_datataking-tester-0002',
    });
    expect(made.store.db.prepare('SELECT run_number FROM workflow_executions').all()).toEqual([
      { run_number: 100_010 },
      { run_number: 100_011 },
    ]);
  });

  it('keeps a repeated statement as one row', async () => {
    const made = await makeRunningStore();
    const first = await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const second = await made.say('stf_gen', {
      filename: stf,
      sequence: 1,
      tf_count: 100,
      file_url: 'file:///elsewhere',
    });
    expect(second).toMatchObject({ isNew: false, seq: first.seq });
    expect(state(made)).toMatchObject({ stfs_announced: 1 });
  });

  it('keeps a statement that contradicts an earlier one as a conflict without effect', async () => {
    const made = await makeRunningStore();
    const { message_id } = await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const conflict = await made.say('stf_gen', {
      filename: stf,
      sequence: 1,
      tf_count: 99,
      timestamp: '2026-11-25T00:00:00Z',
    });
    expect(conflict).toMatchObject({
      isNew: true,
      effect: 'conflict',
      effect_reason: expect.stringContaining(message_id),
    });
    expect(conflict.message_id).toMatch(/\/stf_gen\/swf\.100010\.000001\.stf#[0-9a-f]{8}$/);
    const again = await made.say('stf_gen', {
      filename: stf,
      sequence: 1,
      tf_count: 99,
      timestamp: '2026-11-25T00:00:00Z',
    });
    expect(again).toMatchObject({ isNew: false, message_id: conflict.message_id });
    expect(made.store.db.prepare('SELECT tf_count FROM stf_files').get()).toEqual({ tf_count: 100 });
  });

  it.each([
    ['{"msg_type"', { effect: 'rejected', effect_reason: expect.stringContaining('not JSON') }],
    ['{"msg_type":"heartbeat","sender":"s"}', { effect: 'none', effect_reason: 'unknown msg_type heartbeat' }],
    ['{"msg_type":"start_run","sender":"s","namespace":"n"}', { effect: 'none', effect_reason: 'names no execution' }],
    [
      '{"msg_type":"start_run","sender":"s","namespace":"n","execution_id":"x"}',
      { effect: 'none', effect_reason: 'unknown execution x' },
    ],
  ])('keeps %s with the reason why it has no effect', async (body, expected) => {
    const { store, receive } = await makeStore();
    const record = () => store.write((tx) => receive(tx, '/topic/epictopic', body));
    const first = await record();
    expect(first).toMatchObject({ ...expected, isNew: true });
    expect(await record()).toMatchObject({ ...expected, isNew: false, seq: first.seq });
    expect(store.db.prepare('SELECT payload FROM workflow_messages').all()).toEqual([{ payload: body }]);
  });

  it('keeps the original id of a message beside its derived id', async () => {
    const { store, receive } = await makeRunningStore();
    const body = JSON.stringify({
      msg_type: 'pause_run',
      message_id: 'forged',
      ordinal: 1,
      reason: 'period',
      sender: 's',
      namespace: 'n',
      execution_id: 'stf_datataking-tester-0001',
    });
    await store.write((tx) => receive(tx, '/topic/epictopic', body));
    expect(
      store.db
        .prepare(`SELECT message_id, wire_message_id FROM workflow_messages WHERE message_type = 'pause_run'`)
        .get(),
    ).toEqual({
      message_id: 'stf_datataking-tester-0001/pause_run/1',
      wire_message_id: 'forged',
    });
  });

  it('distinguishes sending times from recording times, and ignores a time without a zone', async () => {
    const made = await makeRunningStore();
    const times = (type: string): any =>
      made.store.db.prepare('SELECT sent_at, recorded_at FROM workflow_messages WHERE message_type = ?').get(type);
    await made.say('pause_run', { ordinal: 1, reason: 'period', timestamp: '2020-01-01T12:00:00+02:00' });
    expect(times('pause_run').sent_at).toBe('2020-01-01T10:00:00.000Z');
    expect(times('pause_run').recorded_at > '2026').toBe(true);
    await made.say('resume_run', { ordinal: 2, reason: 'period', timestamp: '2020-01-01T12:00:00' });
    // It counts as sent when it arrived, just before it was recorded.
    const { sent_at, recorded_at } = times('resume_run');
    expect(Date.parse(recorded_at) - Date.parse(sent_at)).toSatisfy((late: number) => late >= 0 && late < 1000);
  });
});

describe('a note that comes over a broker', () => {
  it('is refused, and not entered in the logbook', async () => {
    const made = await makeRunningStore();
    const said = { ...envelope, msg_type: 'note', command_id: 'n1', text: 'trust me', author: 'ana' };
    const { message_id } = await made.store.write((tx) =>
      made.receive(tx, '/queue/workflow_control', JSON.stringify(said), { fromBroker: true }),
    );
    expect(
      made.store.db
        .prepare('SELECT effect_code, (rare & 32) <> 0 AS is_entry FROM workflow_messages WHERE message_id = ?')
        .get(message_id),
    ).toEqual({ effect_code: 'REFUSED', is_entry: 0 });
    expect(made.store.db.prepare('SELECT count(*) AS n FROM notes').get()).toEqual({ n: 0 });
  });
});

describe('a message that only a driver may send', () => {
  const said: [type: string, fields: object][] = [
    ['stf_gen', { filename: 'swf.100010.000002.stf', sequence: 2, tf_count: 100 }],
    ['pause_run', { ordinal: 1, state: 'standby', reason: 'period' }],
    ['resume_run', { ordinal: 1, state: 'physics', reason: 'period' }],
    ['end_run', { total_stf_files: 0 }],
    ['slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 }],
    ['workflow_ended', { status: 'completed', reason: 'completed', ...noCounts }],
  ];

  it.each(said)(
    'is refused if it comes from a broker and the execution is driven here: %s',
    async (msg_type, fields) => {
      const made = await withSlice();
      const before = { state: state(made), row: row(made) };
      const body = JSON.stringify({ ...envelope, sender: 'stranger', msg_type, ...fields });
      const receive = (fromBroker: boolean) =>
        made.store.write((tx) => made.receive(tx, '/topic/epictopic', body, fromBroker ? { fromBroker } : {}));
      expect(await receive(true)).toMatchObject({
        effect: 'none',
        effect_code: 'REFUSED',
        effect_reason: `${msg_type} may be sent only by the process that drives the execution`,
      });
      expect({ state: state(made), row: row(made) }).toEqual(before);
    },
  );

  it('is recognized as already recorded when it comes back from the broker', async () => {
    const made = await withSlice();
    const end = { total_stf_files: 1, reason: 'completed' as const };
    const recorded = await made.say('end_run', end);
    const row_ = made.store.db
      .prepare('SELECT payload FROM workflow_messages WHERE message_id = ?')
      .pluck()
      .get(recorded.message_id) as string;
    expect(
      await made.store.write((tx) => made.receive(tx, '/topic/epictopic', row_, { fromBroker: true })),
    ).toMatchObject({ isNew: false, message_id: recorded.message_id, effect: 'applied' });
  });
});
