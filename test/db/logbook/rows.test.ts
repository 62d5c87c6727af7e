import { beforeEach, describe, expect, it } from 'vitest';

import { alarmNamed, noteSentence, openAlarms } from '../../../src/db/logbook/alarms.ts';
import { addNote, setQuality } from '../../../src/db/logbook/entries.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from '../../../src/db/logbook/people.ts';
import {
  becomeWatcher,
  candidates,
  dropCandidate,
  endedExecution,
  firstUndelivered,
  isWatched,
  isWatcher,
  keepCandidate,
  knowReceiver,
  lastLook,
  leaveOut,
  noteDelivered,
  noteLook,
  watchedExecutions,
} from '../../../src/db/logbook/watching.ts';
import { registerProcess } from '../../../src/db/presence/leases.ts';
import { makeStore, type TestStore } from '../../made-store.ts';

const at = (second: number): string => new Date(Date.parse('2026-11-28T10:00:00.000Z') + second * 1000).toISOString();

let made: TestStore;
beforeEach(async () => {
  made = await makeStore();
});

const insert = (table: string, rows: readonly object[]): Promise<unknown> =>
  made.store.write((tx) => {
    for (const row of rows) {
      const names = Object.keys(row);
      tx.sql(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
        ...(Object.values(row) as string[]),
      );
    }
  });

const execution = (execution_id: string, more: object = {}) => ({
  execution_id,
  namespace: 'a',
  status: 'completed',
  params: '{}',
  start_time: at(0),
  end_time: at(10),
  ...more,
});

const note = (text: string, written: number, more: object = {}) => ({
  message_id: text,
  text,
  author: 'ana',
  at: at(0),
  written_at: at(written),
  ...more,
});

const alarm = (subject: string, more: object = {}) => ({
  alarm_id: `STAGE_STUCK/${subject}`,
  execution_id: 'e',
  code: 'STAGE_STUCK',
  subject,
  severity: 'error',
  state: 'raised',
  sentence: 'then',
  raised_sentence: 'then',
  count: 1,
  raised_at: at(0),
  ...more,
});

describe('notes', () => {
  it('of a period are those written within it, including its bounds, oldest first', async () => {
    await insert('notes', [note('before', 9.999), note('first', 10), note('last', 20), note('after', 20.001)]);
    const window = { start_time: at(10), end_time: at(20) };
    expect(notesWritten(made.store.sql, window).map(({ text }) => text)).toEqual(['first', 'last']);
  });

  it('of a namespace are those about its executions, and those about no execution', async () => {
    await insert('workflow_executions', [execution('mine'), execution('theirs', { namespace: 'b' })]);
    await insert('notes', [
      note('mine', 1, { execution_id: 'mine' }),
      note('theirs', 1, { execution_id: 'theirs' }),
      note('none', 1),
    ]);
    const window = { start_time: at(0), end_time: at(2) };
    const texts = (namespace: string | null): string[] =>
      notesWritten(made.store.sql, { ...window, namespace }).map(({ text }) => text);
    expect(texts('a')).toEqual(['mine', 'none']);
    expect(texts('b')).toEqual(['theirs', 'none']);
    expect(texts(null)).toEqual(['mine', 'theirs', 'none']);
  });

  it('about an execution are the latest ones, newest first', async () => {
    await insert('notes', [
      ...[1, 2, 3].map((n) => note(`n${n}`, n, { execution_id: 'e' })),
      note('other', 4, { execution_id: 'f' }),
    ]);
    const last = (most: number) => {
      const { notes, omitted } = notesOf(made.store.sql, 'e', most);
      return [...notes.map(({ text }) => text), omitted];
    };
    expect(last(2)).toEqual(['n3', 'n2', 1]);
    for (const most of [3, 4]) expect(last(most)).toEqual(['n3', 'n2', 'n1', 0]);
  });
});

describe('an entry', () => {
  it('is in the namespace of its execution, and in no namespace if it has no execution', async () => {
    await insert('workflow_executions', [execution('one'), execution('two', { namespace: 'b' })]);
    for (const execution_id of ['one', 'two', undefined])
      await addNote(made.store, { execution_id, text: String(execution_id), author: 'ana', sender: 's' });
    const named = made.store.sql('SELECT name FROM message_rows JOIN names ON name_no = namespace_no ORDER BY seq');
    expect(named.values()).toEqual(['a', 'b', 'none']);
  });
});

describe('a receiver of alarms', () => {
  it('gets only the changes made after it became known, one at a time', async () => {
    const { store } = made;
    await insert('workflow_executions', [execution('e')]);
    const change = { execution_id: 'e', code: 'STAGE_STUCK', severity: 'error', sentence: 's', count: 1 } as const;
    const raise = (subject: string) => made.say('alarm_raised', { ...change, subject });
    await raise('before');
    await raise('before too');
    await store.write((tx) => knowReceiver(tx, 'one'));
    expect(firstUndelivered(store.sql, 'one')).toBeUndefined();
    await raise('after');
    expect(JSON.parse(firstUndelivered(store.sql, 'one')?.payload ?? '')).toMatchObject({
      msg_type: 'alarm_raised',
      sender: 'tester',
      namespace: 'test',
      execution_id: 'e',
      run_id: '100010',
      subject: 'after',
    });
    // A receiver that is known keeps its place.
    await store.write((tx) => knowReceiver(tx, 'one'));
    expect(firstUndelivered(store.sql, 'one')?.payload).toContain('"after"');
  });

  it('skips only the undelivered changes recorded before a given time', async () => {
    const { store } = made;
    await insert('workflow_executions', [execution('e')]);
    await store.write((tx) => knowReceiver(tx, 'one'));
    const change = { execution_id: 'e', code: 'STAGE_STUCK', severity: 'error', sentence: 's', count: 1 } as const;
    for (const subject of ['a', 'b', 'c']) await made.say('alarm_raised', { ...change, subject });
    await store.write((tx) => tx.sql('UPDATE message_rows SET recorded_ms = seq * 1000').run());
    const seqs = store.sql<[], number>('SELECT seq FROM message_rows ORDER BY seq').values();
    const [first = 0, , third = 0] = seqs;
    const leave = (before: number) => store.write((tx) => leaveOut(tx, 'one', before));
    expect(await leave(first * 1000)).toBe(0);
    expect(firstUndelivered(store.sql, 'one')).toMatchObject({ seq: first });
    expect(await leave(third * 1000)).toBe(2);
    expect(firstUndelivered(store.sql, 'one')).toMatchObject({ seq: third });
    // What was delivered stays so.
    await store.write((tx) => noteDelivered(tx, 'one', first));
    expect(firstUndelivered(store.sql, 'one')).toMatchObject({ seq: third });
    expect(await leave(Number.MAX_SAFE_INTEGER)).toBe(1);
    expect(firstUndelivered(store.sql, 'one')).toBeUndefined();
  });
});

describe('the judgements of people', () => {
  it('up to and including a given time are in the order of the log', async () => {
    await insert('workflow_executions', [execution('e')]);
    const judged = { execution_id: 'e', value: 'good', author: 'ana' } as const;
    for (const [second, reason] of ['one', 'two', 'three'].entries())
      await made.say('quality', { ...judged, command_id: reason, reason, timestamp: at(second) });
    const reasons = (end_time: string): string[] =>
      judgementsUntil(made.store.sql, { end_time }).map(({ reason }) => reason);
    expect(reasons(at(1))).toEqual(['one', 'two']);
    expect(reasons(at(0.999))).toEqual(['one']);
    expect(reasons(at(9))).toEqual(['one', 'two', 'three']);
    const of = (namespace: string): number => judgementsUntil(made.store.sql, { end_time: at(9), namespace }).length;
    expect([of('test'), of('other')]).toEqual([3, 0]);
  });
});

describe('the quality of a run', () => {
  it('is set without changing that of another run', async () => {
    await insert('workflow_executions', [execution('one'), execution('two')]);
    const by = { author: 'ana', sender: 's' };
    await setQuality(made.store, { ...by, execution_id: 'one', value: 'bad', reason: 'r' });
    const set = await setQuality(made.store, { ...by, execution_id: 'two', value: 'good', reason: 'r' });
    expect(set.was).toBe('none');
    expect(['one', 'two'].map((id) => qualityOf(made.store.sql, id)?.value)).toEqual(['bad', 'good']);
  });
});

describe('the watcher', () => {
  it('is one process; another takes over only once the first is gone, and continues where the first stopped', async () => {
    const { store } = made;
    const hours = 3_600_000;
    const identity = (pid: number) => ({ pid, pid_started: 'then', hostname: 'host' });
    const [one, two] = await store.write((tx) => [1, 2].map((pid) => registerProcess(tx, identity(pid), 'v')));
    const become = (id = 0, isAlive = true, now = 9 * hours) =>
      store.write((tx) => becomeWatcher(tx, id, () => isAlive, now));
    expect(await become(one)).toBe(true);
    expect(lastLook(store.sql)).toBe(hours);
    expect([await become(two), await become(one)]).toEqual([false, true]);
    await store.write((tx) => noteLook(tx, 10 * hours));
    expect(await become(two, false)).toBe(true);
    expect([one, two].map((id = 0) => isWatcher(store.sql, id))).toEqual([false, true]);
    expect(lastLook(store.sql)).toBe(10 * hours);
  });

  it.each<[what: string, more: { isAlive?: boolean; ended?: string; unheard?: number }, isWatched: boolean]>([
    ['watches while its process lives', {}, true],
    ['watches until it has missed its heartbeats for a minute', { unheard: 59.999 }, true],
    ['does not watch after a minute without heartbeats, whatever its process does', { unheard: 60 }, false],
    ['does not watch once its process is gone', { isAlive: false }, false],
    ['does not watch once its process has ended cleanly', { ended: 'order' }, false],
  ])('%s', async (_, { isAlive = true, ended, unheard = 0 }, expected) => {
    const { store } = made;
    const now = Date.parse(at(100));
    const isWatchedNow = () => isWatched(store.sql, () => isAlive, now);
    expect(isWatchedNow()).toBeUndefined();
    await store.write((tx) => {
      const id = registerProcess(tx, { pid: 1, pid_started: 'then', hostname: 'host' }, 'v');
      becomeWatcher(tx, id, () => true, now);
      tx.sql('UPDATE processes SET last_beat = ?, ended = ?').run(at(100 - unheard), ended ?? null);
    });
    expect(isWatchedNow()).toBe(expected);
  });

  it('forgets one candidate alarm and keeps the others', async () => {
    const candidate = (alarm_id: string) => ({ alarm_id, execution_id: 'e', found_ms: 1, gone_ms: null });
    await made.store.write((tx) => {
      for (const id of ['a', 'b']) keepCandidate(tx, candidate(id));
      dropCandidate(tx, 'a');
    });
    expect(candidates(made.store.sql)).toEqual([candidate('b')]);
  });
});

describe('an alarm', () => {
  it('is open while its state is raised or seen', async () => {
    const states = ['raised', 'seen', 'cleared'];
    await insert(
      'alarms',
      states.map((state) => alarm(state, { state })),
    );
    expect(openAlarms(made.store.sql).map(({ subject }) => subject)).toEqual(['raised', 'seen']);
  });

  it('is found by a prefix that no other open alarm shares; several matches are listed newest first', async () => {
    await insert('alarms', [alarm('one'), alarm('two', { state: 'cleared' })]);
    expect(alarmNamed(made.store.sql, 'STAGE_STUCK').subject).toBe('one');
    expect(alarmNamed(made.store.sql, 'STAGE_STUCK/t').subject).toBe('two');
    await insert('alarms', [alarm('three')]);
    expect(() => alarmNamed(made.store.sql, 'STAGE')).toThrow(
      /^2 alarms begin with "STAGE": STAGE_STUCK\/three, STAGE_STUCK\/one;/,
    );
    expect(() => alarmNamed(made.store.sql, 'TAGE_STUCK/one')).toThrow(/there is no alarm .*nearest: STAGE_STUCK\/one/);
  });

  it('has a current sentence only if that differs from its first sentence', async () => {
    await insert('alarms', [alarm('one'), alarm('two')]);
    const say = (sentence: string) => made.store.write((tx) => noteSentence(tx, 'STAGE_STUCK/one', sentence));
    const current = (): unknown => made.store.sql('SELECT current_sentence FROM alarms ORDER BY seq').values();
    await say('now');
    expect(current()).toEqual(['now', null]);
    await say('then');
    expect(current()).toEqual([null, null]);
  });
});

describe('an ended execution', () => {
  it.each([
    ['that is still running, and so left out', { status: 'running', end_time: null }, undefined, undefined],
    ['without a quality', {}, undefined, { end_time: at(10), isJudged: false }],
    ['with a quality', {}, 'bad', { end_time: at(10), isJudged: true }],
    ['with a quality that was withdrawn', {}, 'none', { end_time: at(10), isJudged: false }],
    ['that is no longer heard from', { status: 'unknown', end_time: null }, 'good', { end_time: null, isJudged: true }],
  ])('counts as judged if a person has set its quality: an execution %s', async (_, more, value, ended) => {
    await insert('workflow_executions', [execution('e', more), execution('other')]);
    const judged = { message_id: 'q', reason: 'r', author: 'ana', set_at: at(11) };
    await insert('run_quality', [
      { execution_id: 'other', value: 'good', ...judged },
      ...(value === undefined ? [] : [{ execution_id: 'e', value, ...judged }]),
    ]);
    expect(endedExecution(made.store.sql, 'e')).toEqual(ended);
  });
});

describe('an execution that is watched', () => {
  const heard = (execution_id: string, last: number) => ({
    execution_id,
    told_id: execution_id,
    namespace: 'a',
    run_id: '1',
    first_ms: Date.parse(at(0)),
    last_ms: Date.parse(at(last)),
  });

  it('is running, has just ended or fallen silent, has an open alarm, or has had files at a site for at most a day', async () => {
    await insert('workflow_executions', [
      execution('running', { status: 'running', end_time: null }),
      execution('ended just before', { end_time: at(9.999) }),
      execution('ended then', { end_time: at(10) }),
      execution('heard just before', { status: 'unknown', end_time: null, origin: 'observed' }),
      execution('heard then', { status: 'unknown', end_time: null, origin: 'observed' }),
      execution('ended, heard since', { status: 'failed', end_time: at(1), origin: 'observed' }),
      ...['raised', 'seen', 'cleared', 'candidate'].map((one) => execution(one, { end_time: at(1) })),
    ]);
    await insert('observed_runs', [
      heard('heard just before', 9.999),
      heard('heard then', 10),
      heard('ended, heard since', 20),
    ]);
    const day = 86_400;
    const files = { registered: 1, processing: 2, processed: 3, failed: 4, 'processing for a day': -day };
    await insert(
      'workflow_executions',
      Object.keys(files).map((name) => execution(name, { end_time: at(-day), origin: 'observed' })),
    );
    await insert(
      'observed_runs',
      Object.entries(files).map(([name, last]) => heard(name, last)),
    );
    await insert(
      'stf_sites',
      Object.keys(files).map((name) => ({
        execution_id: name,
        stf_filename: 'a.stf',
        site: 'A',
        status: name.split(' ')[0],
      })),
    );
    await insert(
      'alarms',
      ['raised', 'seen', 'cleared'].map((state) => alarm(state, { state, execution_id: state })),
    );
    await insert('alarm_candidates', [{ alarm_id: 'x', execution_id: 'candidate' }]);
    expect(watchedExecutions(made.store.sql, at(10))).toEqual([
      'running',
      'ended then',
      'heard then',
      'raised',
      'seen',
      'candidate',
      'registered',
      'processing',
    ]);
  });
});
