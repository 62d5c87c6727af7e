import { beforeEach, describe, expect, it } from 'vitest';

import { recordHeard } from '../../../src/db/observed/heard-messages.ts';
import { sliceFilename } from '../../../src/domain/file-names.ts';
import type { MessageLine } from '../../../src/observed/recording-lines.ts';
import { makeStore, type TestStore } from '../../made-store.ts';

let made: TestStore;
beforeEach(async () => {
  made = await makeStore();
});

const iso = (at: number): string => new Date(at).toISOString();

/** A message of run 1 or 2, sent at a time: both runs have one name, and files of the same names. */
const heard = (at: number, run: number, msg_type: string, fields: object = {}): MessageLine => ({
  t: iso(at),
  destination: '/topic/epictopic',
  headers: { timestamp: String(at) },
  body: { msg_type, execution_id: 'n', run_id: String(run), namespace: 'a', sender: `p${run}`, ...fields },
});

const told = (at: number, path: string, body: object, run?: number): MessageLine => ({
  t: iso(at),
  destination: path,
  headers: { timestamp: String(at), ...(run === undefined ? {} : { run_id: String(run) }) },
  body,
});

const record = async (...lines: MessageLine[]): Promise<void> => {
  // Each in its own transaction, as they are heard.
  for (const line of lines) await made.store.write((tx) => recordHeard(tx, line));
};

const rows = (sql: string): unknown[][] => made.store.db.prepare(sql).raw().all() as unknown[][];

const ready = (at: number, run: number, filename: string) => heard(at, run, 'stf_ready', { filename });
const sample = (at: number, run: number, tf_filename: string, stf_filename: string) =>
  heard(at, run, 'tf_file_registered', { tf_filename, stf_filename, tf_count: 10 });

interface SliceOf {
  tf: string;
  id: number;
  attempt?: number;
  stf?: string;
  count?: number;
}

const slice = (at: number, run: number, { tf, id, attempt = 1, stf = 'a.stf', count = 5 }: SliceOf) =>
  heard(at, run, 'slice', {
    message_id: `slice/${run}/${tf}/${id}/${attempt}`,
    tf_filename: tf,
    slice_id: id,
    stf_filename: stf,
    attempt,
    tf_count: count,
  });

const result = (at: number, run: number, of: SliceOf, state: 'done' | 'failed', worker = 'w') =>
  heard(at, run, 'slice_result', {
    message_id: `result/${run}/${of.tf}/${of.id}/${of.attempt ?? 1}/${worker}`,
    slice_filename: sliceFilename(of.tf, of.id),
    attempt: of.attempt ?? 1,
    worker_id: worker,
    state,
  });

const begin = [heard(10, 1, 'run_imminent'), heard(20, 2, 'run_imminent')];

describe('files with the same names in two runs', () => {
  const stfs = [ready(1000, 1, 'a.stf'), ready(5000, 1, 'b.stf'), ready(2000, 2, 'a.stf')];
  const samples = [
    sample(1300, 1, 'a1.tf', 'a.stf'),
    sample(1500, 1, 'a2.tf', 'a.stf'),
    sample(5100, 1, 'b1.tf', 'b.stf'),
    sample(2900, 2, 'a1.tf', 'a.stf'),
    sample(2100, 2, 'a3.tf', 'a.stf'),
    // It was registered by REST alone, so nobody knows when it was announced.
    told(1400, 'POST /api/fastmon-files/', { tf_filename: 'a3.tf', stf_filename: 'a.stf', tf_count: 10 }, 1),
  ];
  const slices = [
    slice(1600, 1, { tf: 'a1.tf', id: 0 }),
    slice(1700, 1, { tf: 'a1.tf', id: 1, count: 3 }),
    slice(5200, 1, { tf: 'b1.tf', id: 0, stf: 'b.stf', count: 7 }),
    slice(2950, 2, { tf: 'a1.tf', id: 0, count: 9 }),
  ];

  it.each([
    ['in order', [...stfs, ...samples, ...slices]],
    ['the samples first', [...samples, ...stfs, ...slices]],
    ['the slices first', [...slices, ...samples, ...stfs]],
    ['the slices last', [...samples.toReversed(), ...stfs.toReversed(), ...slices.toReversed()]],
  ])('are counted and timed separately: %s', async (_order, lines) => {
    // A run of this store has such files too.
    await made.store.write(({ sql }) =>
      sql(
        `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, execution_id, status, attempt, created_at)
         VALUES ('own.tf', 0, 'a1.tf', 'own', 'queued', 1, '')`,
      ).run(),
    );
    await record(...begin, ...lines);
    expect(
      rows(
        'SELECT execution_id, tf_filename, waited_ms, slice_count FROM fastmon_files ORDER BY execution_id, tf_filename',
      ),
    ).toEqual([
      ['n', 'a1.tf', 300, 2],
      ['n', 'a2.tf', 500, 0],
      ['n', 'a3.tf', null, 0],
      ['n', 'b1.tf', 100, 1],
      ['n~2', 'a1.tf', 900, 1],
      ['n~2', 'a3.tf', 100, 0],
    ]);
    expect(
      rows(
        'SELECT execution_id, stf_filename, tf_file_count, slice_count FROM stf_files ORDER BY execution_id, stf_filename',
      ),
    ).toEqual([
      ['n', 'a.stf', 3, 2],
      ['n', 'b.stf', 1, 1],
      ['n~2', 'a.stf', 2, 1],
    ]);
    expect(
      rows(
        'SELECT execution_id, tf_filename, slices, largest, first_at FROM observed_samples ORDER BY execution_id, tf_filename',
      ),
    ).toEqual([
      ['n', 'a1.tf', 2, 5, iso(1600)],
      ['n', 'b1.tf', 1, 7, iso(5200)],
      ['n~2', 'a1.tf', 1, 9, iso(2950)],
    ]);
  });

  it('are counted once, with their bytes, for their own run', async () => {
    await record(...begin, ...stfs, heard(1100, 2, 'stf_gen', { filename: 'b.stf' }));
    await record(heard(6000, 1, 'stf_ready', { filename: 'c.stf', size_bytes: 70 }));
    expect(rows('SELECT execution_id, dataset_files, dataset_bytes FROM runs ORDER BY 1')).toEqual([
      ['n', 3, 70],
      ['n~2', 1, 0],
    ]);
  });

  it('belong to another STF file if an earlier message says so', async () => {
    await record(...begin, ...stfs, ...samples);
    await record(heard(1200, 1, 'tf_file_registered', { tf_filename: 'a1.tf', stf_filename: 'b.stf', tf_count: 10 }));
    expect(rows('SELECT execution_id, stf_filename, tf_file_count FROM stf_files ORDER BY 1, 2')).toEqual([
      ['n', 'a.stf', 2],
      ['n', 'b.stf', 2],
      ['n~2', 'a.stf', 2],
    ]);
  });
});

describe('attempts at slices with the same names in two runs', () => {
  const one = { tf: 'a1.tf', id: 0 };
  const two = { ...one, attempt: 2 };
  const other = { tf: 'a1.tf', id: 1 };

  it('are kept apart, in the order in which they were sent', async () => {
    await record(...begin, ...[1, 2].flatMap((run) => [slice(100, run, one), result(200, run, one, 'failed')]));
    await record(slice(110, 1, other), result(190, 1, other, 'failed'), slice(210, 1, { ...other, attempt: 2 }));
    await record(slice(300, 1, two));
    const name = sliceFilename('a1.tf', 0);
    const stands = `SELECT execution_id, attempt, status FROM tf_slices WHERE slice_filename = '${name}' ORDER BY 1`;
    expect(rows(stands)).toEqual([
      ['n', 2, 'unanswered'],
      ['n~2', 1, 'failed'],
    ]);
    const earlier = 'SELECT execution_id, slice_filename, attempt, state FROM earlier_attempts ORDER BY 1, 2';
    const failed = ['n', sliceFilename('a1.tf', 1), 1, 'failed'];
    expect(rows(earlier)).toEqual([['n', name, 1, 'failed'], failed]);
    // The first one succeeds in the other run too, after it was tried again.
    await record(slice(300, 2, two), result(400, 2, two, 'done'), result(410, 1, two, 'done'));
    expect(rows(stands)).toEqual([
      ['n', 2, 'completed'],
      ['n~2', 2, 'completed'],
    ]);
    expect(rows(earlier)).toEqual([['n', name, 1, 'failed'], failed, ['n~2', name, 1, 'failed']]);
  });

  it('keep the earliest sending time of identical messages', async () => {
    await record(...begin, sample(50, 1, 'a1.tf', 'a.stf'), sample(50, 2, 'a1.tf', 'a.stf'));
    await record(slice(100, 1, one), slice(150, 1, other), slice(100, 2, one), slice(130, 1, { tf: 'b1.tf', id: 0 }));
    await record(slice(90, 1, one), slice(120, 1, one));
    const samples = 'SELECT execution_id, tf_filename, slices, first_at FROM observed_samples ORDER BY 1, 2';
    expect(rows(samples)).toEqual([
      ['n', 'a1.tf', 2, iso(90)],
      ['n', 'b1.tf', 1, iso(130)],
      ['n~2', 'a1.tf', 1, iso(100)],
    ]);
    expect(rows('SELECT execution_id, tf_filename, slice_count FROM fastmon_files ORDER BY 1')).toEqual([
      ['n', 'a1.tf', 2],
      ['n~2', 'a1.tf', 1],
    ]);
    // Only the row of the message itself is moved.
    const sent = `SELECT sent_ms, recorded_ms FROM message_rows WHERE short_id LIKE '%/slice/%' ORDER BY seq`;
    expect(rows(sent)).toEqual([
      [90, 90],
      [150, 150],
      [100, 100],
      [130, 130],
    ]);
  });

  it('have the state that follows from the messages linked to them', async () => {
    await record(...begin, ...[1, 2].flatMap((run) => [slice(100, run, one), slice(100, run, other)]));
    await record(result(200, 1, one, 'failed', 'v'), result(190, 1, one, 'done', 'w'));
    await record(result(200, 2, one, 'failed', 'v'));
    const links = `SELECT p.execution_id, m.sent_ms FROM message_subjects AS p JOIN message_rows AS m USING (seq)
      WHERE subject = 'attempt' AND key = '${sliceFilename('a1.tf', 0)}' ORDER BY 1, 2`;
    expect(rows(links)).toEqual([
      ['n', 100],
      ['n', 190],
      ['n~2', 100],
      ['n~2', 200],
    ]);
    const repeats = `SELECT p.execution_id, m.sent_ms, s.sent_ms, contradicts FROM message_subjects AS p
      JOIN message_rows AS m USING (seq) JOIN message_rows AS s ON s.seq = stands_seq ORDER BY 1, 2`;
    expect(rows(repeats)).toEqual([['n', 200, 190, 1]]);
  });
});

describe('a slice that only REST reported', () => {
  /** Its registration, and a result that names it and a request. */
  const reported = (at: number, run: number, id: number, req_id: string): MessageLine[] => {
    const echo = { req_id, tf_filename: `a1_slice_00${id}.tf`, slice_id: id, execution_id: 'n' };
    const content = { state: 'done', result: { state: true, result: echo } };
    const message = { msg_type: 'slice_result', run_id: String(run), execution_id: 'n', namespace: 'a', content };
    return [
      told(at, 'POST /api/tf-slices/', { tf_filename: echo.tf_filename, slice_id: id }, run),
      told(at + 1, 'POST /api/system-state-events/', { event_type: 'slice_result', event_data: { message } }, run),
    ];
  };

  it('is the only one removed once its result turns out to belong to another slice', async () => {
    await record(...begin, sample(50, 1, 'a1.tf', 'a.stf'), sample(50, 2, 'a1.tf', 'a.stf'));
    await record(...[1, 2].flatMap((run) => reported(100 + run, run, 0, 'r')), ...reported(110, 1, 1, 'q'));
    const slices = () => rows('SELECT execution_id, slice_id, status FROM tf_slices ORDER BY execution_id, slice_id');
    expect(slices()).toEqual([
      ['n', 0, 'completed'],
      ['n', 1, 'completed'],
      ['n~2', 0, 'completed'],
    ]);
    const content = { req_id: 'r', tf_filename: 'a1_slice_005.tf', slice_id: 5, execution_id: 'n' };
    await record(heard(200, 1, 'slice', { content }));
    expect(slices()).toEqual([
      ['n', 1, 'completed'],
      ['n', 5, 'completed'],
      ['n~2', 0, 'completed'],
    ]);
    expect(rows('SELECT execution_id, slices FROM observed_samples ORDER BY 1')).toEqual([
      ['n', 2],
      ['n~2', 1],
    ]);
  });
});

describe('the phase of a run', () => {
  it('follows from the last message of the same run, by sending time', async () => {
    await record(...begin, heard(100, 1, 'start_run'), heard(110, 2, 'start_run'));
    await record(heard(400, 1, 'pause_run', { state: 'x' }), heard(300, 1, 'resume_run'), heard(500, 2, 'pause_run'));
    await record(heard(600, 2, 'resume_run'), heard(700, 1, 'stf_gen', { filename: 'a.stf' }));
    const phases = 'SELECT execution_id, phase, phase_changed_at FROM run_states ORDER BY 1';
    expect(rows(phases)).toEqual([
      ['n', 'standby', iso(400)],
      ['n~2', 'physics', iso(600)],
    ]);
    await record(heard(350, 2, 'end_run', { total_stf_files: 3 }));
    expect(rows(phases)).toEqual([
      ['n', 'standby', iso(400)],
      ['n~2', 'completed', iso(350)],
    ]);
    expect(rows('SELECT execution_id, start_time, end_time, total_stf_files FROM runs ORDER BY 1')).toEqual([
      ['n', iso(10), null, null],
      ['n~2', iso(20), iso(350), 3],
    ]);
  });
});

it.each([
  ['in order', ['pause_run', 'start_run']],
  ['in the other order', ['start_run', 'pause_run']],
])('of two messages with the same time, the one with the greater id decides the phase: %s', async (_order, types) => {
  await record(...begin, ...types.map((type) => heard(100, 1, type)));
  expect(rows(`SELECT phase FROM run_states WHERE execution_id = 'n'`)).toEqual([['physics']]);
});

describe('messages that wait for their execution', () => {
  const executionsOf = () =>
    rows(
      `SELECT m.sent_ms, e.name, n.name FROM message_rows AS m LEFT JOIN names AS e ON e.name_no = execution_no
       LEFT JOIN names AS n ON n.name_no = namespace_no WHERE sent_ms > 0 ORDER BY sent_ms`,
    );

  it('belong to it once the execution is known, if they are from its run', async () => {
    const nameless = { execution_id: null, namespace: null };
    await record(
      heard(100, 1, 'stf_gen', { ...nameless, filename: 'a.stf' }),
      heard(110, 2, 'stf_gen', { ...nameless, filename: 'a.stf' }),
      heard(120, 1, 'stf_gen', { ...nameless, filename: 'b.stf', namespace: 'elsewhere' }),
    );
    await record(heard(200, 1, 'run_imminent'));
    expect(executionsOf()).toEqual([
      [100, 'n', 'a'],
      [110, null, null],
      [120, null, 'elsewhere'],
      [200, 'n', 'a'],
    ]);
    expect(rows('SELECT stf_filename, execution_id FROM stf_files')).toEqual([['a.stf', 'n']]);
  });

  it('belong to it if they name the execution and no run, but not if they merely contain its name', async () => {
    const patch = (at: number, id: string) => told(at, `PATCH /api/workflow-executions/${id}/`, { status: 'running' });
    await record(
      patch(100, 'n'),
      patch(110, 'nn'),
      heard(120, 1, 'announcement', { execution_id: null, run_id: null, text: 'n' }),
      heard(130, 1, 'end_run', { run_id: null }),
      heard(140, 1, 'end_run', { execution_id: 'other', run_id: null }),
    );
    await record(heard(200, 1, 'run_imminent'));
    expect(executionsOf().map(([at, execution]) => [at, execution])).toEqual([
      [100, 'n'],
      [110, null],
      [120, null],
      [130, 'n'],
      [140, null],
      [200, 'n'],
    ]);
  });

  it('do not include rows that this store wrote itself', async () => {
    await made.say('resume_run', { ordinal: 1, reason: 'operator', run_id: '1', timestamp: iso(100) });
    await made.store.write(({ sql }) => sql('UPDATE message_rows SET execution_no = NULL').run());
    await record(heard(200, 1, 'run_imminent'));
    expect(executionsOf().map(([at, execution]) => [at, execution])).toEqual([
      [100, null],
      [200, 'n'],
    ]);
  });
});

describe('a message of swf-mcp itself', () => {
  it.each<[what: string, origin: 'own' | 'observed', execution: string, kind: string]>([
    ['is not recorded again if its execution belongs to this store', 'own', 'n', 'own'],
    ['is recorded if its execution was observed', 'observed', 'n', 'new'],
    ['is recorded if it is about another execution', 'own', 'other', 'new'],
  ])('%s', async (_what, origin, execution, kind) => {
    const outcome = await made.store.write((tx) => {
      tx.sql(
        `INSERT INTO workflow_executions (execution_id, origin, namespace, status, params, start_time) VALUES (?, ?, '', 'running', '{}', '')`,
      ).run(execution, origin);
      return recordHeard(tx, slice(100, 1, { tf: 'a1.tf', id: 0 }));
    });
    expect(outcome.kind).toBe(kind);
  });
});

describe('the status of an execution that was reported over REST', () => {
  it('comes from the messages about it that had an effect', async () => {
    const register = (at: number, id: string, start: string) =>
      told(at, 'POST /api/workflow-executions/', {
        execution_id: id,
        namespace: 'a',
        status: 'running',
        start_time: start,
        parameter_values: {},
        executed_by: id,
      });
    const patch = (at: number, id: string, status: string) =>
      told(at, `PATCH /api/workflow-executions/${id}/`, { status });
    await record(register(10, 'm', iso(10)), register(20, 'o', iso(20)));
    await record(patch(100, 'm', 'completed'), patch(110, 'o', 'failed'), patch(90, 'm', 'running'));
    const stands = 'SELECT execution_id, status, end_time, executed_by FROM workflow_executions ORDER BY 1';
    const of = 'SELECT execution_id, told_status, told_ms, told_end_ms FROM observed_runs ORDER BY 1';
    expect(rows(stands)).toEqual([
      ['m', 'completed', iso(100), 'm'],
      ['o', 'failed', iso(110), 'o'],
    ]);
    expect(rows(of)).toEqual([
      ['m', 'completed', 100, 100],
      ['o', 'failed', 110, 110],
    ]);
    await made.store.write(({ sql }) => sql(`UPDATE message_rows SET effect = 'rejected' WHERE sent_ms = 100`).run());
    await record(patch(120, 'm', 'terminated'));
    expect(rows(of)[0]).toEqual(['m', 'terminated', 120, 120]);
  });

  it.each<[what: string, patches: [at: number, status: string][], status: string, end: number | null]>([
    ['is running until an end is reported', [[100, 'running']], 'running', null],
    [
      'does not return to running after an end',
      [
        [100, 'completed'],
        [110, 'running'],
      ],
      'completed',
      100,
    ],
    [
      'is the later of two ends, at the time of the first',
      [
        [100, 'completed'],
        [120, 'failed'],
      ],
      'failed',
      100,
    ],
    [
      'is the later of two ends, even if it arrives first',
      [
        [120, 'failed'],
        [100, 'completed'],
      ],
      'failed',
      100,
    ],
    [
      'is one of two ends from the same moment',
      [
        [100, 'failed'],
        [100, 'terminated'],
      ],
      'failed',
      100,
    ],
    [
      'stays the same if two ends from the same moment arrive in the other order',
      [
        [100, 'terminated'],
        [100, 'failed'],
      ],
      'failed',
      100,
    ],
  ])('%s', async (_, patches, status, end) => {
    const registered = { execution_id: 'm', namespace: 'a', status: 'running', start_time: iso(10) };
    await record(told(10, 'POST /api/workflow-executions/', registered));
    for (const [at, said] of patches) await record(told(at, 'PATCH /api/workflow-executions/m/', { status: said }));
    expect(rows('SELECT status, end_time FROM workflow_executions')).toEqual([
      [status, end === null ? null : iso(end)],
    ]);
    expect(rows('SELECT told_status, told_end_ms FROM observed_runs')).toEqual([[status, end]]);
  });
});

it('the keys of message bodies are counted by sender, type and state', async () => {
  await record(
    ...begin,
    heard(100, 1, 'start_run', { state: 'x' }),
    heard(110, 1, 'start_run', { state: 'x', extra: 1 }),
  );
  await record(heard(120, 2, 'start_run', { state: 'x', extra: 1 }));
  const keys = `SELECT execution_id, key, filled FROM observed_keys WHERE message_type = 'start_run' AND key IN ('', 'extra') ORDER BY 1, 2`;
  expect(rows(keys)).toEqual([
    ['n', '', 2],
    ['n', 'extra', 1],
    ['n~2', '', 1],
    ['n~2', 'extra', 1],
  ]);
});

it('one REST write about two runs becomes two messages', async () => {
  const write = (at: number, run: number) =>
    told(at, 'POST /api/tf-slices/', { tf_filename: 'a1.tf', slice_id: 0 }, run);
  await record(...begin, write(100, 1), write(110, 2), write(120, 1), write(130, 2));
  expect(rows(`SELECT sent_ms FROM workflow_messages WHERE message_id LIKE 'told/%' ORDER BY seq`)).toEqual([
    [100],
    [110],
  ]);
});
