import { describe, expect, it } from 'vitest';

import type { Message } from '../../src/messages/message.ts';
import { ask, connectInProcess, makeRunningStore, makeStore, type TestStore, noCounts } from '../helpers.ts';

const stf = 'swf.100010.000001.stf';
const sample = 'swf.100010.000001_tf_001.tf';
const sliceName = 'swf.100010.000001_slice_000.tf';

async function withSlice(params = {}): Promise<TestStore> {
  const made = await makeRunningStore(params);
  await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
  await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 100, size_bytes: 6400 });
  await made.say('tf_file_registered', {
    tf_filename: sample,
    stf_filename: stf,
    tf_first: 0,
    tf_last: 14,
    tf_count: 15,
  });
  await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
  return made;
}

const slice = (attempt: number) => ({ slice_id: 0, slice_filename: sliceName, tf_filename: sample, attempt });
const byWorker = (attempt: number, slot = '01') => ({
  ...slice(attempt),
  worker_id: `worker/${slot}`,
  hostname: 'host',
});

const secondSlice = { slice_id: 1, slice_filename: 'swf.100010.000001_slice_001.tf', tf_filename: sample, attempt: 1 };
const envelope = { sender: 'tester', namespace: 'test', execution_id: 'stf_datataking-tester-0001', run_id: '100010' };
const row = ({ store }: TestStore): unknown =>
  store.db.prepare('SELECT status, attempt, assigned_worker, error FROM tf_slices').get();
const state = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM run_states').get();

describe('recording', () => {
  it('by several parts of one process that share a commit gives what reading the log again gives', async () => {
    const made = await withSlice();
    const { store } = made;
    await made.say('slice', { ...secondSlice, stf_filename: stf, start: 1, end: 1, tf_count: 1 });
    // An agent's journal and what takes in messages from a broker write in the same moment.
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

  it('lets a message that has an effect take the id of one that had none, whose text stays on record', async () => {
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
    // From now on the id is taken, and the forged message has nothing to say.
    expect(await made.say('tf_file_registered', { ...registered, tf_last: 13, tf_count: 14 })).toMatchObject({
      effect: 'conflict',
    });
    const { tf_files_received } = state(made);
    expect(tf_files_received).toBe(1);
  });

  it('applies what was said before with another run, once it is said rightly', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const ready = { filename: stf, sequence: 1, tf_count: 100 };
    const wrong = { ...envelope, ...ready, msg_type: 'stf_ready', run_id: '1' } as Message;
    const { store } = made;
    expect(await store.write((tx) => store.messages.record(tx, wrong))).toMatchObject({ effect_code: 'OTHER_RUN' });
    expect(await made.say('stf_ready', ready)).toMatchObject({ effect: 'applied' });
  });

  it('draws execution and run numbers once for a run_workflow, however often it comes', async () => {
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

  it('takes the same statement made twice as one row', async () => {
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
  ])('keeps %s, which changes nothing, with the reason', async (body, expected) => {
    const { store, receive } = await makeStore();
    const record = () => store.write((tx) => receive(tx, '/topic/epictopic', body));
    const first = await record();
    expect(first).toMatchObject({ ...expected, isNew: true });
    expect(await record()).toMatchObject({ ...expected, isNew: false, seq: first.seq });
    expect(store.db.prepare('SELECT payload FROM workflow_messages').all()).toEqual([{ payload: body }]);
  });

  it('keeps the id that a message brought along beside its own', async () => {
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

  it('keeps time sent and time recorded apart, and takes a naive time for none', async () => {
    const made = await makeRunningStore();
    const times = (type: string): any =>
      made.store.db.prepare('SELECT sent_at, recorded_at FROM workflow_messages WHERE message_type = ?').get(type);
    await made.say('pause_run', { ordinal: 1, reason: 'period', timestamp: '2020-01-01T12:00:00+02:00' });
    expect(times('pause_run').sent_at).toBe('2020-01-01T10:00:00.000Z');
    expect(times('pause_run').recorded_at > '2026').toBe(true);
    await made.say('resume_run', { ordinal: 2, reason: 'period', timestamp: '2020-01-01T12:00:00' });
    // When it came is when it was sent, but for the moment that recording takes.
    const { sent_at, recorded_at } = times('resume_run');
    expect(Date.parse(recorded_at) - Date.parse(sent_at)).toSatisfy((late: number) => late >= 0 && late < 1000);
  });
});

describe('a note that comes over a broker', () => {
  it('is refused, and is no entry of the logbook', async () => {
    const made = await makeRunningStore();
    const said = { ...envelope, msg_type: 'note', command_id: 'n1', text: 'trust me', author: 'ana' };
    const { message_id } = await made.store.write((tx) =>
      made.receive(tx, '/queue/workflow_control', JSON.stringify(said), { fromBroker: true }),
    );
    expect(
      made.store.db
        .prepare('SELECT effect_code, (rare & 32) <> 0 AS is_entry FROM message_rows WHERE message_id = ?')
        .get(message_id),
    ).toEqual({ effect_code: 'REFUSED', is_entry: 0 });
    expect(made.store.db.prepare('SELECT count(*) AS n FROM notes').get()).toEqual({ n: 0 });
  });
});

describe('what only a driver may say', () => {
  const said: [type: string, fields: object][] = [
    ['stf_gen', { filename: 'swf.100010.000002.stf', sequence: 2, tf_count: 100 }],
    ['pause_run', { ordinal: 1, state: 'standby', reason: 'period' }],
    ['resume_run', { ordinal: 1, state: 'physics', reason: 'period' }],
    ['end_run', { total_stf_files: 0 }],
    ['slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 }],
    ['workflow_ended', { status: 'completed', reason: 'completed', ...noCounts }],
  ];

  it.each(said)('is refused from a broker for an execution that is driven here: %s', async (msg_type, fields) => {
    const made = await withSlice();
    const before = { state: state(made), row: row(made) };
    const body = JSON.stringify({ ...envelope, sender: 'stranger', msg_type, ...fields });
    const receive = (fromBroker: boolean) =>
      made.store.write((tx) => made.receive(tx, '/topic/epictopic', body, fromBroker ? { fromBroker } : {}));
    expect(await receive(true)).toMatchObject({
      effect: 'none',
      effect_code: 'REFUSED',
      effect_reason: `${msg_type} is said by the process that drives an execution alone`,
    });
    expect({ state: state(made), row: row(made) }).toEqual(before);
  });

  it('comes back from the broker as what it was, if the driver has said it', async () => {
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

describe('what came over a broker from a host whose clock is off', () => {
  const delays = ({ store }: TestStore): unknown =>
    store.db.prepare('SELECT min(total) AS least, max(longest) AS longest FROM stage_delays').get();

  it.each([-3600, 3600])('by %i s happened when it was recorded, so that no delay is of the clocks', async (off) => {
    const made = await makeRunningStore();
    const timestamp = new Date(Date.now() + off * 1000).toISOString();
    const heard = (msg_type: string, fields: object): Promise<unknown> =>
      made.store.write((tx) =>
        made.receive(tx, '/topic/epictopic', JSON.stringify({ ...envelope, timestamp, msg_type, ...fields }), {
          fromBroker: true,
        }),
      );
    // The last comes first, and takes effect late.
    await heard('tf_file_registered', {
      tf_filename: sample,
      stf_filename: stf,
      tf_first: 0,
      tf_last: 14,
      tf_count: 15,
    });
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    await heard('stf_ready', { filename: stf, sequence: 1, tf_count: 100 });
    await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    await heard('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect(delays(made)).toEqual({ least: expect.any(Number), longest: expect.any(Number) });
    expect((delays(made) as { longest: number }).longest).toBeLessThan(60);
    const files = made.store.db.prepare('SELECT created_at FROM fastmon_files').all() as { created_at: string }[];
    expect(Math.abs(Date.parse(files[0]?.created_at ?? '') - Date.now())).toBeLessThan(60_000);
    // What was said stays as it was said.
    expect(
      made.store.db.prepare(`SELECT sent_at FROM workflow_messages WHERE message_type = 'stf_ready'`).get(),
    ).toEqual({
      sent_at: timestamp,
    });
    const client = await connectInProcess(made.path);
    const { hops, total_seconds } = await ask(client, 'trace_data_product', { filename: sliceName });
    expect(total_seconds).toBeLessThan(60);
    for (const { delay_seconds = 0 } of hops) expect(Math.abs(delay_seconds)).toBeLessThan(60);
  });
});

describe('the phases of a run', () => {
  it('take only the steps of the table; others are kept with the reason and change nothing', async () => {
    const made = await makeRunningStore();
    expect(await made.say('resume_run', { ordinal: 1, reason: 'period' })).toMatchObject({
      effect: 'none',
      effect_reason: 'no step from phase physics by resume_run',
    });
    expect(await made.say('pause_run', { ordinal: 1, reason: 'period' })).toMatchObject({ effect: 'applied' });
    expect(await made.say('end_run', { total_stf_files: 0, reason: 'completed' })).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ phase: 'standby' });
  });

  it('end from standby where the run is stopped', async () => {
    const made = await makeRunningStore();
    await made.say('pause_run', { ordinal: 1, reason: 'period' });
    expect(await made.say('end_run', { total_stf_files: 0, reason: 'stopped' })).toMatchObject({ effect: 'applied' });
    expect(state(made)).toMatchObject({ phase: 'completed' });
  });
});

describe('a message of another namespace, or of another run,', () => {
  it('changes nothing', async () => {
    const made = await makeRunningStore();
    expect(await made.say('pause_run', { ordinal: 1, reason: 'period', namespace: 'other' })).toMatchObject({
      effect: 'none',
    });
    expect(await made.say('pause_run', { ordinal: 2, reason: 'period', run_id: '999' })).toMatchObject({
      effect: 'none',
    });
    expect(state(made)).toMatchObject({ phase: 'physics' });
  });
});

describe('files', () => {
  it('of another run, of unknown parents or with frames outside the STF change nothing', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const unfit = [
      await made.say('stf_gen', { filename: 'swf.99.000002.stf', sequence: 2, tf_count: 100 }),
      await made.say('stf_ready', { filename: 'swf.100010.000009.stf', sequence: 9, tf_count: 100 }),
      await made.say('tf_file_registered', {
        tf_filename: 'x_tf_001.tf',
        stf_filename: stf,
        tf_first: 0,
        tf_last: 1,
        tf_count: 2,
      }),
      await made.say('tf_file_registered', {
        tf_filename: sample,
        stf_filename: stf,
        tf_first: 90,
        tf_last: 100,
        tf_count: 11,
      }),
      await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 1, tf_count: 2 }),
    ];
    for (const said of unfit) expect(said).toMatchObject({ effect: 'none', effect_reason: expect.any(String) });
    expect(state(made)).toMatchObject({ stfs_announced: 1, stfs_ready: 0, tf_files_received: 0, slices_created: 0 });
  });
});

describe('a run_workflow from outside', () => {
  const command = {
    msg_type: 'run_workflow',
    command_id: 'c9',
    sender: 's',
    namespace: 'n',
    workflow_name: 'w',
    params: {},
    executed_by: 'u',
    speed: 1,
  };

  it.each([{ run_id: '1e40' }, { run_id: '900000000000000' }, { execution_id: 'other-x-9999', run_id: '7' }])(
    'does not choose its numbers by %j',
    async (chosen) => {
      const { store, receive } = await makeStore();
      const body = JSON.stringify({ ...command, ...chosen });
      const recorded = await store.write((tx) => receive(tx, '/queue/workflow_control', body));
      expect(recorded).toMatchObject({ effect: 'applied', execution_id: 'w-u-0001' });
      expect(store.db.prepare('SELECT run_number FROM workflow_executions').all()).toEqual([{ run_number: 100_010 }]);
    },
  );

  it('with a name that cannot be part of an id is rejected; with parameters that cannot be used it makes nothing', async () => {
    const { store, receive } = await makeStore();
    const record = (changes: object) =>
      store.write((tx) => receive(tx, '/queue/workflow_control', JSON.stringify({ ...command, ...changes })));
    expect(await record({ executed_by: '../u' })).toMatchObject({ effect: 'rejected' });
    expect(await record({ executed_by: 'u'.repeat(65) })).toMatchObject({ effect: 'rejected' });
    expect(await record({ params: { fast_processing: { stf_count: 'x' } } })).toMatchObject({
      effect: 'none',
      effect_reason: expect.stringContaining('fast_processing.stf_count'),
    });
    expect(await record({ command_id: 'c10', params: { fast_processing: { worker_rampup_time: 300 } } })).toMatchObject(
      { effect: 'applied' },
    );
  });
});

describe('a slice', () => {
  it('goes from queued through processing to completed', async () => {
    const made = await withSlice();
    expect(row(made)).toMatchObject({ status: 'queued', attempt: 1, assigned_worker: null });
    await made.say('slice_started', byWorker(1));
    expect(row(made)).toMatchObject({ status: 'processing', assigned_worker: 'worker/01' });
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect(row(made)).toMatchObject({ status: 'completed', error: null });
    expect(state(made)).toMatchObject({
      slices_created: 1,
      slices_queued: 0,
      slices_processing: 0,
      slices_completed: 1,
    });
  });

  it.each(['terminated', 'failed'] as const)(
    'in hand when its execution is %s waits in the same attempt',
    async (end) => {
      const made = await withSlice();
      await made.say('slice_started', byWorker(1));
      await made.say('workflow_ended', { status: end, reason: 'stopped', ...noCounts });
      expect(row(made)).toMatchObject({ status: 'queued', attempt: 1, assigned_worker: null });
      expect(state(made)).toMatchObject({ slices_queued: 1, slices_processing: 0 });
      expect(made.store.db.prepare('SELECT state, starts FROM slice_attempts').all()).toEqual([
        { state: 'queued', starts: 1 },
      ]);
      // A result that comes after the end does not count.
      expect(await made.say('slice_result', { ...byWorker(1), state: 'done' })).toMatchObject({ effect: 'none' });
      const client = await connectInProcess(made.path);
      const { checks } = await ask(client, 'audit_execution', { execution_id: 'latest' });
      expect(checks.filter((one: { check: string; state: string }) => one.check === 'counts')).toMatchObject([
        { state: 'ok' },
      ]);
    },
  );

  it('never moves back, whatever comes late or twice', async () => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    const before = { row: row(made), state: state(made) };
    const late = [
      await made.say('slice_started', byWorker(1, '02')),
      await made.say('slice_result', { ...byWorker(1, '02'), state: 'failed', error: 'late' }),
      await made.say('slice_result', { ...byWorker(2), state: 'failed' }),
      await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 }),
    ];
    expect(late.map(({ effect }) => effect)).toEqual(['none', 'none', 'none', 'none']);
    expect({ row: row(made), state: state(made) }).toEqual(before);
  });

  it('in its second attempt takes nothing that is said of its first', async () => {
    const made = await withSlice({ worker: { max_retries: 2 } });
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'failed', error: 'reason 1' });
    await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    const queued = { row: row(made), state: state(made) };
    expect(queued.row).toMatchObject({ status: 'queued', attempt: 2 });
    const late = [
      await made.say('slice_started', byWorker(1, '02')),
      await made.say('slice_result', { ...byWorker(1, '02'), state: 'done' }),
    ];
    expect(late).toMatchObject([
      { effect: 'none', effect_code: 'NO_STEP', effect_reason: 'attempt 1 of a slice that is queued in attempt 2' },
      { effect: 'none', effect_code: 'NO_STEP' },
    ]);
    expect({ row: row(made), state: state(made) }).toEqual(queued);
    await made.say('slice_started', byWorker(2));
    expect(await made.say('slice_result', { ...byWorker(1, '03'), state: 'done' })).toMatchObject({ effect: 'none' });
    expect(row(made)).toMatchObject({ status: 'processing', attempt: 2, assigned_worker: 'worker/01' });
  });

  it('that failed is queued again as the next attempt, and each attempt is kept', async () => {
    const made = await withSlice({ worker: { max_retries: 1 } });
    for (const attempt of [1, 2]) {
      if (attempt > 1) await made.say('slice', { ...slice(attempt), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
      await made.say('slice_started', byWorker(attempt));
      await made.say('slice_result', { ...byWorker(attempt), state: 'failed', error: `reason ${attempt}` });
    }
    expect(row(made)).toMatchObject({ status: 'failed', attempt: 2, error: 'reason 2' });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 1, slices_queued: 0 });
    expect(
      made.store.db.prepare('SELECT attempt, state, error, starts FROM slice_attempts ORDER BY attempt').all(),
    ).toEqual([
      { attempt: 1, state: 'failed', error: 'reason 1', starts: 1 },
      { attempt: 2, state: 'failed', error: 'reason 2', starts: 1 },
    ]);
  });

  it('that stays failed is not queued again, or the execution would never be complete', async () => {
    const made = await withSlice({ worker: { max_retries: 0 } });
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    expect(await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 })).toMatchObject({
      effect: 'none',
    });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 1, slices_queued: 0 });
  });

  it('that the plan does not have changes nothing', async () => {
    const made = await withSlice();
    const stray = { stf_filename: stf, tf_filename: sample, attempt: 1, start: 1, end: 1, tf_count: 1 };
    const said = [
      await made.say('slice', { ...stray, slice_id: 1, slice_filename: 'anything.tf' }),
      await made.say('slice', { ...stray, slice_id: 15, slice_filename: 'swf.100010.000001_slice_015.tf' }),
      await made.say('slice', { ...stray, slice_id: 1, slice_filename: 'swf.100010.000001_slice_001.tf', tf_count: 9 }),
      await made.say('tf_file_registered', {
        tf_filename: 'swf.100010.000001_tf_002.tf',
        stf_filename: stf,
        tf_first: 20,
        tf_last: 21,
        tf_count: 2,
      }),
    ];
    expect(said.map(({ effect }) => effect)).toEqual(['none', 'none', 'none', 'none']);
    expect(state(made)).toMatchObject({ slices_created: 1, tf_files_received: 1 });
  });

  it('that the plan does not have changes nothing, and its execution still completes', async () => {
    const made = await makeRunningStore({ fast_processing: { stf_count: 1 } });
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 3 });
    await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 3, size_bytes: 192 });
    const short = { tf_filename: sample, stf_filename: stf, tf_first: 0, tf_last: 2, tf_count: 3 };
    await made.say('tf_file_registered', short);
    // A sample of three frames is cut into three slices of one frame, however many a sample usually has.
    const of = (slice_id: number, start: number, end: number) => ({
      slice_id,
      slice_filename: `swf.100010.000001_slice_${String(slice_id).padStart(3, '0')}.tf`,
      tf_filename: sample,
      stf_filename: stf,
      attempt: 1,
      start,
      end,
      tf_count: end - start + 1,
    });
    for (const one of [of(3, 0, 0), of(9, 0, 2)])
      expect(await made.say('slice', one)).toMatchObject({
        effect: 'none',
        effect_reason: expect.stringContaining(sample),
      });
    expect(state(made)).toMatchObject({ slices_expected: 3, slices_created: 0 });
    for (const id of [0, 1, 2]) {
      expect(await made.say('slice', of(id, id, id))).toMatchObject({ effect: 'applied' });
      const worker = { ...byWorker(1), slice_id: id, slice_filename: of(id, id, id).slice_filename };
      await made.say('slice_result', { ...worker, state: 'done' });
    }
    expect(state(made)).toMatchObject({ slices_expected: 3, slices_created: 3, slices_completed: 3 });
  });

  it.each([
    ['other frames', { start: 1, end: 1 }],
    ['more frames', { start: 0, end: 1, tf_count: 2 }],
    ['another number of frames', { tf_count: 2 }],
    ['another id', { slice_id: 1 }],
  ])('with %s than planned changes nothing', async (_, changes) => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const fifteen = { tf_filename: sample, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 };
    await made.say('tf_file_registered', fifteen);
    const planned = { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 };
    expect(await made.say('slice', { ...planned, ...changes })).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ slices_created: 0 });
  });

  it('is not queued again with other frames', async () => {
    const made = await withSlice();
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    const again = { ...slice(2), stf_filename: stf, start: 0, end: 3, tf_count: 4 };
    expect(await made.say('slice', again)).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_queued: 0 });
  });

  it('of a vanished worker is begun again as the same attempt', async () => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    expect(await made.say('slice_started', byWorker(1, '02'))).toMatchObject({ effect: 'applied' });
    expect(row(made)).toMatchObject({ status: 'processing', attempt: 1, assigned_worker: 'worker/02' });
    expect(state(made)).toMatchObject({ slices_processing: 1 });
    expect(made.store.db.prepare('SELECT starts FROM slice_attempts').get()).toEqual({ starts: 2 });
  });
});
