import { beforeEach, describe, expect, it } from 'vitest';

import {
  createObservedRun,
  forgetLast,
  nameNamespace,
  noteRead,
  observedRunCalled,
  observedRunOf,
  registeredRun,
  runOfRegistered,
  toldRunning,
} from '../../../src/db/observed/executions.ts';
import { executionsUnderWay } from '../../../src/db/observed/prompt.ts';
import { extend } from '../../../src/db/observed/run.ts';
import { makeStore, type TestStore } from '../../made-store.ts';
import { insert, observe } from './observed-rows.ts';

let made: TestStore;
beforeEach(async () => {
  made = await makeStore();
});

describe('the execution of a message', () => {
  type Names = Omit<Parameters<typeof observedRunOf>[1], 'at'>;

  it.each<[why: string, names: Partial<Names>, at: number, found: string | undefined]>([
    ['by its run and name', { run_id: '1', told_id: 'n', namespace: 'x' }, 0, 'a'],
    ['by its run and name, in its namespace', { run_id: '1', told_id: 'n', namespace: 'y' }, 0, 'd'],
    ['in no other namespace', { run_id: '1', told_id: 'n', namespace: 'z' }, 0, undefined],
    ['in any namespace, if that of the execution is unknown', { run_id: '3', told_id: 'm', namespace: 'z' }, 0, 'c'],
    ['not by another run', { run_id: '9', told_id: 'n', namespace: 'x' }, 0, undefined],
    ['not by another name', { run_id: '1', told_id: 'm', namespace: 'x' }, 0, undefined],
    ['by its run alone', { run_id: '2' }, 0, 'b'],
    ['by its run alone: the newest execution that had begun', { run_id: '1' }, 299, 'a'],
    ['by its run alone: a newer one once that has begun', { run_id: '1' }, 300, 'd'],
    ['by its name alone: the execution that had begun', { told_id: 'n', namespace: 'x' }, 199, 'a'],
    ['by its name alone: a newer one once that has begun', { told_id: 'n', namespace: 'x' }, 200, 'b'],
    ['by its name alone: the newest one if none had begun', { told_id: 'n', namespace: 'x' }, 99, 'b'],
    ['by its name alone, in any namespace', { told_id: 'n' }, 300, 'd'],
    ['by its name alone: of two that began together, the one with the lower id', { told_id: 'twin' }, 500, 't1'],
    ['not by a namespace alone', { namespace: 'x' }, 500, undefined],
  ])('is found %s', async (_why, { namespace, run_id, told_id }, at, found) => {
    const run = await made.store.write((tx) => {
      observe(tx, { execution_id: 'd', told_id: 'n', namespace: 'y', run_id: '1', first_ms: 300 });
      observe(tx, { execution_id: 'c', told_id: 'm', run_id: '3', first_ms: 150 });
      observe(tx, { execution_id: 'b', told_id: 'n', namespace: 'x', run_id: '2', first_ms: 200 });
      observe(tx, { execution_id: 'a', told_id: 'n', namespace: 'x', run_id: '1', first_ms: 100 });
      observe(tx, { execution_id: 't2', told_id: 'twin', run_id: '8', first_ms: 400 });
      observe(tx, { execution_id: 't1', told_id: 'twin', run_id: '7', first_ms: 400 });
      return observedRunOf(tx, { namespace, run_id, told_id, at });
    });
    expect(run?.execution_id).toBe(found);
  });

  it('is found by its id in the store, with a run number if its run_id is a number', async () => {
    const found = await made.store.write((tx) => {
      observe(tx, { execution_id: 'a', told_id: 'n', run_id: '12' });
      observe(tx, { execution_id: 'b', told_id: 'n', run_id: 'x12' });
      return ['a', 'b', 'n', null].map((id) => observedRunCalled(tx.sql, id as string));
    });
    expect(found).toEqual([
      { execution_id: 'a', namespace: '', run_number: 12 },
      { execution_id: 'b', namespace: '', run_number: null },
      undefined,
      undefined,
    ]);
  });
});

describe('the execution that a registration belongs to', () => {
  type Registration = { start_time: string; run_id?: string; namespace?: string };

  it.each<[why: string, registration: Registration, at: number, found: string | undefined]>([
    ['the one that it created', { start_time: 's1' }, 150, 'p'],
    ['the one that it created, even if that began later', { start_time: 's1' }, 0, 'p'],
    ['the first that began at its time or later', { start_time: 's2' }, 200, 'q'],
    ['a later one, if the first began before the registration', { start_time: 's2' }, 201, 'r'],
    ['a new one, if all began before the registration', { start_time: 's2' }, 301, undefined],
    ['the one with its run', { start_time: 's2', run_id: '3' }, 999, 'r'],
    ['a new one, if its run is new', { start_time: 's2', run_id: '9' }, 0, undefined],
    ['the one in its namespace', { start_time: 's2', namespace: 'x' }, 200, 'q'],
    ['a new one in another namespace', { start_time: 's2', namespace: 'y' }, 200, undefined],
  ])('is %s', async (_why, { start_time, run_id, namespace }, at, found) => {
    await made.store.write((tx) => {
      const common = { told_id: 'n', namespace: 'x' };
      observe(tx, { ...common, execution_id: 'r', run_id: '3', first_ms: 300 });
      observe(tx, { ...common, execution_id: 'q', run_id: '2', first_ms: 200 });
      observe(tx, { ...common, execution_id: 'p', run_id: '1', first_ms: 250, told_start: 's1' });
      observe(tx, { ...common, execution_id: 'o', told_id: 'other', first_ms: 200 });
      observe(tx, { ...common, execution_id: 's', told_id: 'other', first_ms: 200, told_start: 's2' });
      const { run, isNew } = registeredRun(tx, { told_id: 'n', start_time, run_id, namespace }, at);
      expect(isNew ? undefined : run.execution_id).toBe(found);
    });
    const starts = made.store.sql(`SELECT execution_id FROM observed_runs WHERE told_start = ? AND told_id = 'n'`);
    expect(starts.values(start_time)).toEqual([found ?? 'n']);
    expect(starts.values('s1')).toContain('p');
  });

  it.each<[when: string, namespace: string | undefined, at: number, found: string | undefined]>([
    ['the newest that had begun', 'x', 199, 'u'],
    ['one that begins now', 'x', 200, 'v'],
    ['none, if all began later', 'x', 99, undefined],
    ['none in another namespace', 'y', 200, undefined],
    ['one in any namespace, if the message names none', undefined, 100, 'u'],
  ])('is assigned the run id of a message: %s', async (_when, namespace, at, found) => {
    await made.store.write((tx) => {
      observe(tx, { execution_id: 'w', told_id: 'n', namespace: 'x', run_id: '5', first_ms: 90 });
      observe(tx, { execution_id: 'v', told_id: 'n', namespace: 'x', first_ms: 200, told_start: '2' });
      observe(tx, { execution_id: 'u', told_id: 'n', namespace: 'x', first_ms: 100, told_start: '1' });
      observe(tx, { execution_id: 'o', told_id: 'other', namespace: 'x', first_ms: 199 });
      expect(runOfRegistered(tx, { namespace, run_id: '7', told_id: 'n' }, at)?.execution_id).toBe(found);
    });
    const { sql } = made.store;
    const all = found === undefined ? [] : [found];
    expect(sql(`SELECT execution_id FROM observed_runs WHERE run_id = '7'`).values()).toEqual(all);
    expect(sql('SELECT execution_id FROM workflow_executions WHERE run_number = 7').values()).toEqual(all);
  });
});

describe('a namespace that is reported later', () => {
  it('is assigned to the execution, and to its messages from the bus that name no namespace', async () => {
    await made.say('resume_run', { ordinal: 1, reason: 'operator', execution_id: 'a', namespace: 'own' });
    const { sql } = made.store;
    await made.store.write((tx) => {
      const run = { execution_id: 'a', namespace: '', run_number: null };
      observe(tx, { execution_id: 'a', told_id: 'a', run_id: '1' });
      observe(tx, { execution_id: 'b', told_id: 'b', run_id: '1' });
      for (const name of ['b', 'x', 'y']) tx.sql('INSERT OR IGNORE INTO names (name) VALUES (?)').run(name);
      const message = (id: string, execution: string, namespace: string | null, headers: string | null): void =>
        void tx
          .sql(
            `INSERT INTO message_rows (short_id, type_no, execution_no, namespace_no, headers, sent_ms, recorded_ms, effect, is_whole, body)
             SELECT ?, type_no, (SELECT name_no FROM names WHERE name = ?), (SELECT name_no FROM names WHERE name = ?), ?, 0, 0, 'applied', 1, '{}'
             FROM message_rows LIMIT 1`,
          )
          .run(id, execution, namespace, headers);
      message('heard', 'a', null, '{}');
      message('own', 'a', null, null);
      message('named', 'a', 'y', '{}');
      message('other', 'b', null, '{}');
      nameNamespace(tx, run, 'x');
    });
    const named = sql<[], { message_id: string; name: string | null }>(
      `SELECT short_id AS message_id, name FROM message_rows LEFT JOIN names ON name_no = namespace_no WHERE body = '{}' ORDER BY seq`,
    ).all();
    expect(named.map(({ message_id, name }) => [message_id, name])).toEqual([
      ['heard', 'x'],
      ['own', null],
      ['named', 'y'],
      ['other', null],
    ]);
    for (const table of ['workflow_executions', 'observed_runs'])
      expect(
        sql(`SELECT namespace FROM ${table} WHERE execution_id IN ('a', 'b') ORDER BY execution_id`).values(),
      ).toEqual(['x', '']);
  });
});

describe('the last message of an execution', () => {
  it.each<[what: string, before: number, last: number]>([
    ['is looked up again if the known one was moved to an earlier time', 900, 500],
    ['stays the same if another message was moved', 800, 900],
  ])('%s', async (_what, before, last) => {
    await made.store.write((tx) => {
      for (const id of ['a', 'b']) observe(tx, { execution_id: id, told_id: id, last_ms: 900 });
      for (const name of ['a', 'b', 'note', 'stf_gen'])
        tx.sql('INSERT OR IGNORE INTO names (name) VALUES (?)').run(name);
      const message = (id: string, execution: string, sent_ms: number, traits: number | null = null): void =>
        void tx
          .sql(
            `INSERT INTO message_rows (short_id, type_no, type_traits, execution_no, sent_ms, recorded_ms, effect, is_whole, body)
             VALUES (?, (SELECT name_no FROM names WHERE name = 'stf_gen'), ?, (SELECT name_no FROM names WHERE name = ?), ?, 0, 'applied', 1, '{}')`,
          )
          .run(id, traits, execution, sent_ms);
      message('1', 'a', 400);
      message('2', 'a', 500);
      message('3', 'b', 700);
      forgetLast(tx, 'a', before);
    });
    expect(made.store.sql('SELECT last_ms FROM observed_runs ORDER BY execution_id').values()).toEqual([last, 900]);
  });
});

describe("the monitor's data about a run", () => {
  it('keeps its latest reading time, separately for each run number and name', async () => {
    await made.store.write((tx) => {
      observe(tx, { execution_id: 'a', told_id: 'n', run_id: '1' });
      observe(tx, { execution_id: 'b', told_id: 'n', run_id: '2' });
      observe(tx, { execution_id: 'c', told_id: 'm', run_id: '1' });
      noteRead(tx, { execution_id: 'n', run_id: '1' }, 20);
      noteRead(tx, { execution_id: 'n', run_id: '1' }, 10);
    });
    expect(made.store.sql('SELECT read_ms FROM observed_runs ORDER BY execution_id').values()).toEqual([
      20,
      null,
      null,
    ]);
  });

  it('is requested for numbered runs last reported as running, in order of start', async () => {
    await made.store.write((tx) => {
      const status = 'running';
      observe(tx, { execution_id: 'a', told_id: 'a', run_id: '2', told_status: status, first_ms: 2 });
      observe(tx, { execution_id: 'b', told_id: 'b', run_id: '1', told_status: status, first_ms: 1 });
      observe(tx, { execution_id: 'c', told_id: 'c', run_id: '', told_status: status });
      observe(tx, { execution_id: 'd', told_id: 'd', run_id: '3', told_status: 'failed' });
      observe(tx, { execution_id: 'e', told_id: 'e', run_id: '4' });
    });
    expect(toldRunning(made.store.sql)).toEqual([
      { execution_id: 'b', run_id: '1' },
      { execution_id: 'a', run_id: '2' },
    ]);
  });
});

describe('a message of an execution that seems to have ended', () => {
  it.each<[what: string, stored: string, queued: number, told: string | undefined, then: string]>([
    ['shows that the execution is running if it had merely fallen silent', 'unknown', 0, undefined, 'running'],
    ['shows that the execution is running if a slice waits', 'completed', 1, undefined, 'running'],
    [
      'shows that the execution is running if a slice waits and the execution was reported as running',
      'completed',
      1,
      'running',
      'running',
    ],
    ['changes nothing if no slice waits', 'completed', 0, undefined, 'completed'],
    ['changes nothing if the end was reported', 'completed', 1, 'completed', 'completed'],
    ['changes nothing if the execution failed', 'failed', 1, 'failed', 'failed'],
    ['changes nothing if the execution is known to be running', 'running', 0, undefined, 'running'],
  ])('%s', async (_what, status, slices_queued, told_status, then) => {
    const told = told_status === undefined ? {} : { told_status };
    await made.store.write((tx) => {
      observe(tx, { execution_id: 'a', told_id: 'a', ...told }, { status, status_reason: 'why' }, { slices_queued });
      // Others of each kind, which stay as they are.
      observe(tx, { execution_id: 'b', told_id: 'b' }, { status: 'unknown' }, { slices_queued: 1 });
      observe(tx, { execution_id: 'c', told_id: 'c' }, { status: 'completed' }, { slices_queued: 1 });
      observe(tx, { execution_id: 'd', told_id: 'd', told_status: 'failed' }, { status: 'failed' });
      extend(tx, 'a', 0, undefined);
    });
    const rows = made.store.sql<[], { status: string; status_reason: string | null }>(
      'SELECT status, status_reason FROM workflow_executions ORDER BY execution_id',
    );
    expect(rows.all().map((row) => row.status)).toEqual([then, 'unknown', 'completed', 'failed']);
    expect(rows.get()?.status_reason).toBe(then === status ? 'why' : null);
  });

  it.each<[what: string, end: number | null, told: string | undefined, at: number, then: number | null]>([
    ['moves the end of the execution', 5000, undefined, 7000, 7000],
    ['does not move the end back', 5000, undefined, 3000, 5000],
    ['leaves the end that was reported', 5000, 'completed', 7000, 5000],
    ['gives a running execution no end', null, undefined, 7000, null],
  ])('%s', async (_what, end, told_status, at, then) => {
    const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
    const told = told_status === undefined ? {} : { told_status };
    await made.store.write((tx) => {
      const times = { first_ms: 1000, last_ms: 2000 };
      const status = end === null ? 'running' : 'completed';
      observe(tx, { execution_id: 'a', told_id: 'a', ...times, ...told }, { status, end_time: iso(end) });
      observe(tx, { execution_id: 'b', told_id: 'b', ...times }, { status: 'completed', end_time: iso(1) });
      extend(tx, 'a', at, 'H');
    });
    const { sql } = made.store;
    expect(sql('SELECT end_time FROM workflow_executions ORDER BY execution_id').values()).toEqual([iso(then), iso(1)]);
    expect(sql('SELECT start_time FROM workflow_executions ORDER BY execution_id').values()).toEqual([iso(1000), '']);
    expect(sql('SELECT last_ms FROM observed_runs ORDER BY execution_id').values()).toEqual([at, 2000]);
  });
});

it('an execution lists each dialect of its own messages once', async () => {
  await made.store.write((tx) => {
    observe(tx, { execution_id: 'other' });
    observe(tx, { execution_id: 'a' });
    tx.sql(`UPDATE observed_runs SET dialects = iif(execution_id = 'a', 'S', 'F')`).run();
  });
  for (const dialect of ['H', 'S', 'H']) await made.store.write((tx) => extend(tx, 'a', 100, dialect));
  const dialects = 'SELECT dialects FROM observed_runs ORDER BY execution_id';
  expect(made.store.sql<[], string>(dialects).values()).toEqual(['HS', 'F']);
});

it('an execution whose name is taken is named after its run', async () => {
  const ids = await made.store.write((tx) =>
    ['1', '2', '2'].map((run_id, n) => {
      const names = { namespace: `n${n}`, run_id, told_id: 'n' };
      return createObservedRun(tx, names, 0).execution_id;
    }),
  );
  expect(ids).toEqual(['n', 'n~2', 'n~2~2']);
});

describe('the executions under way', () => {
  it.each<[why: string, isUnderWay: boolean, run: { status?: string; data?: string; file?: string; site?: string }]>([
    ['runs', true, { status: 'running' }],
    ['has ended and closed its data run', false, { data: 'final' }],
    ['has ended, with nothing known about its data run', false, {}],
    ['has ended while its data run is open', true, { data: 'open' }],
    ['has ended while PanDA has a file', true, { status: 'terminated', file: 'registered', site: 'registered' }],
    ['has ended while PanDA is processing a file', true, { data: 'final', file: 'processing', site: 'processing' }],
    ['has ended, with a file that has no site', false, { data: 'final', file: 'registered' }],
    ['has ended, with its file processed by PanDA', false, { data: 'final', file: 'processed', site: 'processed' }],
  ])('include a prompt processing execution that %s: %s', async (_, isUnderWay, run) => {
    const { status = 'completed', data = null, file, site } = run;
    const found = await made.store.write((tx) => {
      observe(tx, { execution_id: 'ended' }, { status: 'completed' });
      observe(tx, { execution_id: 'p' }, { status, workflow_name: 'prompt_processing' });
      insert(tx, 'runs', { execution_id: 'p', dataset_state: data });
      if (file !== undefined)
        insert(tx, 'stf_files', { stf_filename: 'a', execution_id: 'p', created_at: '', status: file });
      if (site !== undefined)
        insert(tx, 'stf_sites', { execution_id: 'p', stf_filename: 'a', site: 'A', status: site });
      return executionsUnderWay(tx.sql);
    });
    expect(found).toEqual(isUnderWay ? ['p'] : []);
  });
});
