import { describe, expect, it } from 'vitest';

import type { ExecutionRow } from '../../../src/db/execution/find-execution.ts';
import { noteApplied } from '../../../src/db/log/commands.ts';
import { indexPredicates } from '../../../src/db/migrations/index-predicates.ts';
import {
  isAnyRecordedLate,
  lastLandmarks,
  lastMessage,
  lastTroubledMessages,
  pausedBy,
  pendingStop,
  someMessages,
  stoppedBy,
} from '../../../src/db/reports/landmarks.ts';
import { makeRunningStore, sayShortExecutions } from '../../made-store.ts';
import { at } from './file-rows.ts';

const id = 'stf_datataking-tester-0001';
const generated = (sequence: number, tf_count = 100) => ({
  filename: `swf.100010.00000${sequence}.stf`,
  sequence,
  tf_count,
});

describe('the last message of an execution', () => {
  it('is its newest message, even one without effect, but not a logbook entry', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { ...generated(1), timestamp: at(1) });
    await made.say('resume_run', { ordinal: 9, reason: 'period', timestamp: at(2) });
    await made.say('note', { command_id: 'n', text: 'x', author: 'ana' });
    await sayShortExecutions(made, 1);
    expect(lastMessage(made.store.sql, id)).toMatchObject({ sent_at: at(2), effect: 'none' });
    expect(lastMessage(made.store.sql, 'another')).toBeUndefined();
  });
});

describe('messages that contradict earlier ones', () => {
  it('are listed by execution, newest first, and counted', async () => {
    const made = await makeRunningStore();
    const { sql } = made.store;
    const all = [1, 2, 3, 4, 5, 6, 7];
    for (const n of all) await made.say('stf_gen', generated(n));
    for (const n of all) await made.say('stf_gen', { ...generated(n), tf_count: 7 });
    await made.store.write((tx) =>
      tx.sql(`UPDATE message_rows SET execution_no = NULL WHERE seq = (SELECT max(seq) FROM message_rows)`).run(),
    );
    const stf = (n: number) => expect.stringContaining(generated(n).filename) as string;
    const newest = [6, 5, 4, 3, 2, 1].map(stf);
    expect(lastTroubledMessages(sql, id, 9).map(({ message_id }) => message_id)).toEqual(newest);
    expect(lastTroubledMessages(sql, id, 1)).toMatchObject([{ message_id: stf(6) }]);
    expect(someMessages(sql, id, indexPredicates.troubled)).toEqual({ count: 6, ids: newest.slice(0, 5) });
    expect(someMessages(sql, 'another', indexPredicates.troubled)).toEqual({ count: 0, ids: [] });
  });
});

describe('the landmarks of an execution', () => {
  it('include only the last two pauses and resumes, and run_workflow without its body', async () => {
    const made = await makeRunningStore();
    for (const ordinal of [1, 2, 3]) {
      await made.say('pause_run', { ordinal, reason: 'period' });
      await made.say('resume_run', { ordinal, reason: 'period' });
    }
    await made.say('stf_gen', generated(1));
    await sayShortExecutions(made, 1);
    const marks = (limit: number, of = id) =>
      lastLandmarks(made.store.sql, of, limit).map(({ message_type, body }) => [message_type, body !== null]);
    const [pause, resume] = [
      ['pause_run', true],
      ['resume_run', true],
    ];
    expect(marks(3)).toEqual([resume, pause, resume]);
    expect(marks(99)).toEqual([
      resume,
      pause,
      resume,
      pause,
      ['start_run', true],
      ['run_imminent', true],
      ['run_workflow', false],
    ]);
    expect(marks(99, 'another')).toEqual([]);
  });
});

describe('a message counts as recorded late', () => {
  const [from, until] = [1_000_000, 2_000_000];

  it.each<[what: string, rows: [sent: number, recorded: number][], isLate: boolean]>([
    ['if it was sent in the period and recorded after its end', [[1_500_000, 2_000_001]], true],
    ['not if it was recorded by the end of the period', [[1_500_000, 2_000_000]], false],
    ['if it was sent at the start of the period', [[1_000_000, 2_000_001]], true],
    ['not if it was sent before the period', [[999_999, 2_000_001]], false],
    ['not if it was sent at the end of the period', [[2_000_000, 2_020_000]], false],
    ['if it was sent just before the end of the period', [[1_999_999, 2_020_000]], true],
    ['if it was recorded more than ten seconds after it was sent', [[1_995_000, 2_005_001]], true],
    ['not if it was recorded ten seconds after it was sent, which is usual', [[1_995_000, 2_005_000]], false],
    [
      'not if a later message was recorded on time',
      [
        [1_500_000, 2_000_001],
        [1_500_000, 2_000_000],
      ],
      false,
    ],
    [
      'not if it was recorded on time, even if the next message was recorded after the period',
      [
        [1_500_000, 2_000_000],
        [1_995_000, 2_005_000],
      ],
      false,
    ],
  ])('%s', async (_, rows, isLate) => {
    const { store, say } = await makeRunningStore();
    await store.write(({ sql }) => sql('UPDATE message_rows SET sent_ms = 0, recorded_ms = 0').run());
    for (const [n, [sent, recorded]] of rows.entries()) {
      const { seq } = await say('stf_gen', generated(n + 1));
      await store.write(({ sql }) =>
        sql('UPDATE message_rows SET sent_ms = ?, recorded_ms = ? WHERE seq = ?').run(sent, recorded, seq),
      );
    }
    // Of an execution of this store the times of its recorder count.
    expect(isAnyRecordedLate(store.sql, id, from, until)).toBe(false);
    await store.write(({ sql }) => sql(`UPDATE message_rows SET headers = '{}' WHERE seq = 1`).run());
    expect(isAnyRecordedLate(store.sql, id, from, until)).toBe(isLate);
    expect(isAnyRecordedLate(store.sql, 'another', from, until)).toBe(false);
  });
});

describe('the person who', () => {
  const execution = (status: ExecutionRow['status'], execution_id = id) => ({ execution_id, status }) as ExecutionRow;

  it('paused a running execution is named while it is paused', async () => {
    const { store, say } = await makeRunningStore();
    expect(pausedBy(store.sql, execution('running'))).toBeUndefined();
    await say('driver_started', { epoch: 1, pid: 7, user: 'rita', version: '1.0.0', speed: 1, hostname: 'host' });
    const earlier = await say('pause_workflow', { command_id: 'o', claimed_by: 'Otto', timestamp: at(4) });
    await store.write((tx) => noteApplied(tx, earlier.message_id));
    const pause = { command_id: 'p', claimed_by: 'Ana', reason: 'magnet', timestamp: at(5) };
    const { message_id } = await say('pause_workflow', pause);
    await store.write((tx) => noteApplied(tx, message_id));
    const by = { name: 'Ana', claimed_by: 'Ana', sent_by: 'tester', time: at(5), reason: 'magnet' };
    expect(pausedBy(store.sql, execution('running'))).toEqual(by);
    expect(pausedBy(store.sql, execution('completed'))).toBeUndefined();
    expect(pausedBy(store.sql, execution('running', 'another'))).toBeUndefined();
  });

  it('paused an execution is named without a reason if the reason is not text', async () => {
    const { store, say } = await makeRunningStore();
    await say('driver_started', { epoch: 1, pid: 7, user: 'rita', version: '1.0.0', speed: 1, hostname: 'host' });
    const { message_id } = await say('pause_workflow', { command_id: 'p', timestamp: at(5) });
    await store.write((tx) => noteApplied(tx, message_id));
    const reasonOf = (body: string) =>
      store
        .write(({ sql }) =>
          sql(`UPDATE message_rows SET body = ? WHERE seq = (SELECT max(seq) FROM message_rows)`).run(body),
        )
        .then(() => pausedBy(store.sql, execution('running'))?.reason);
    expect(await reasonOf('{"reason":"magnet"}')).toBe('magnet');
    expect(await reasonOf('{"reason":7}')).toBeUndefined();
    expect(await reasonOf('{"reason":')).toBeUndefined();
  });

  it('stopped an execution is named while the stop is pending and afterwards', async () => {
    const { store, say } = await makeRunningStore();
    const { message_id } = await say('stop_workflow', { command_id: 's', timestamp: at(6) });
    const by = { name: 'tester', time: at(6) };
    const both = () =>
      (['running', 'terminated', 'failed', 'completed'] as const).map((status) => [
        pendingStop(store.sql, execution(status)),
        stoppedBy(store.sql, execution(status)),
      ]);
    const none = [undefined, undefined];
    expect(both()).toEqual([[by, undefined], none, none, none]);
    await store.write((tx) => noteApplied(tx, message_id));
    expect(both()).toEqual([none, [undefined, by], [undefined, by], none]);
    expect(pendingStop(store.sql, execution('running', 'another'))).toBeUndefined();
  });
});
