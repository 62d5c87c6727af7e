import { describe, expect, it } from 'vitest';

import {
  idleSlices,
  queuedSlice,
  readyStfs,
  unreadyStfs,
  unsampledStfs,
} from '../../../src/db/execution/unanswered.ts';
import { markUnsendable } from '../../../src/db/log/outbox.ts';
import { registerProcess } from '../../../src/db/presence/leases.ts';
import { executionParamsSchema } from '../../../src/domain/params.ts';
import { makeRunningStore } from '../../made-store.ts';
import { byWorker, sample, secondSlice, slice, sliceName, stf, withSlice } from '../one-slice.ts';
import { at, fakeClock } from '../presence/processes.ts';

const id = 'stf_datataking-tester-0001';
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const nameOf = (n: number): string => `swf.100010.${String(n).padStart(6, '0')}.stf`;
const time = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;

/** An STF as announced or ready, sent at the given second. */
const of = (n: number, second: number, tf_count = 100) => ({
  filename: nameOf(n),
  sequence: n,
  tf_count,
  timestamp: time(second),
});

const names = (messages: { msg_type: string; filename: string }[]): string[] =>
  messages.map(({ msg_type, filename }) => `${msg_type} ${filename}`);

describe('announcements of files', () => {
  it('sent before a given time count as unanswered until their STF is ready', async () => {
    const { store, say } = await makeRunningStore();
    for (const n of [1, 2, 3]) await say('stf_gen', of(n, n));
    await say('stf_ready', of(1, 4));
    const unready = (second: number, execution = id) => names(unreadyStfs(store.sql, execution, time(second)));
    expect(unready(9)).toEqual([`stf_gen ${nameOf(2)}`, `stf_gen ${nameOf(3)}`]);
    expect(unready(3)).toEqual([`stf_gen ${nameOf(2)}`]);
    expect(unready(2)).toEqual([]);
    expect(unready(9, 'another')).toEqual([]);
  });

  it('sent before a given time count as unanswered until their ready STF has all planned samples', async () => {
    const params = { fastmon: { tf_samples_per_stf: 2 }, fast_processing: { stf_sampling_rate: 0.5 } };
    const { store, say } = await makeRunningStore(params);
    for (const n of [1, 2, 3, 4, 5, 6]) await say('stf_gen', of(n, 0, n === 6 ? 1 : 100));
    const parsed = executionParamsSchema.parse(params);
    const unsampled = (second: number, execution = id) =>
      names(unsampledStfs(store.sql, execution, time(second), parsed));
    expect(unsampled(9)).toEqual([]);
    for (const n of [1, 2, 3, 4, 6]) await say('stf_ready', of(n, n, n === 6 ? 1 : 100));
    // Every other STF is sampled, and a single frame makes only one sample.
    expect(unsampled(9)).toEqual([2, 4, 6].map((n) => `stf_ready ${nameOf(n)}`));
    expect(unsampled(4)).toEqual([`stf_ready ${nameOf(2)}`]);
    expect(unsampled(9, 'another')).toEqual([]);
    const register = (n: number, number: number, tf_count: number) =>
      say('tf_file_registered', {
        tf_filename: nameOf(n).replace('.stf', `_tf_00${number}.tf`),
        stf_filename: nameOf(n),
        tf_first: 0,
        tf_last: tf_count - 1,
        tf_count,
      });
    await register(2, 1, 7);
    await register(6, 1, 1);
    expect(unsampled(9)).toEqual([2, 4].map((n) => `stf_ready ${nameOf(n)}`));
    await register(2, 2, 7);
    expect(unsampled(9)).toEqual([`stf_ready ${nameOf(4)}`]);
  });

  it('of ready STFs are found by file name, each once', async () => {
    const { store, say } = await makeRunningStore();
    for (const n of [1, 2, 3]) await say('stf_gen', of(n, n));
    for (const n of [1, 2]) await say('stf_ready', of(n, n));
    const files = [2, 1, 2, 3, 9].map((n) => ({ stf_filename: nameOf(n) }));
    expect(names(readyStfs(store.sql, id, files))).toEqual([`stf_ready ${nameOf(2)}`, `stf_ready ${nameOf(1)}`]);
    expect(readyStfs(store.sql, id, [])).toEqual([]);
  });
});

describe('a queued slice', () => {
  it('is found by the message id of an attempt only while it is queued for that attempt', async () => {
    const { store, say } = await withSlice({ worker: { max_retries: 1 } });
    const queued = (attempt: number, name = sliceName) =>
      queuedSlice(store.sql, `${id}/slice/${name}/${attempt}`)?.attempt;
    expect(queuedSlice(store.sql, `${id}/slice/${sliceName}/1`)).toMatchObject({ msg_type: 'slice', ...slice(1) });
    expect([queued(2), queued(1, 'no.tf')]).toEqual([undefined, undefined]);
    expect(queuedSlice(store.sql, `${id}/stf_gen/${stf}`)).toBeUndefined();
    await say('slice_started', byWorker(1));
    expect(queued(1)).toBeUndefined();
    await say('slice_result', { ...byWorker(1), state: 'failed' });
    await say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    expect([queued(1), queued(2)]).toEqual([undefined, 2]);
  });
});

describe('slices without a result', () => {
  const messageOf = (name: string, attempt = 1): string => `${id}/slice/${name}/${attempt}`;

  /** Two slices that were sent a hundred seconds ago. */
  async function sent() {
    const made = await withSlice({ worker: { max_retries: 1 } });
    await made.say('slice', { ...secondSlice, stf_filename: stf, start: 1, end: 1, tf_count: 1 });
    const { store } = made;
    const sentAgo = (seconds: number) =>
      store.db.exec(
        `UPDATE message_rows SET goes_out = 1, outbox_sent_at = '${ago(seconds)}' WHERE short_id LIKE '%/slice/%'`,
      );
    sentAgo(100);
    const assignedAgo = (seconds: number) =>
      store.db.exec(`UPDATE tf_slices SET assigned_at = '${ago(seconds)}' WHERE status = 'processing'`);
    const idle = (seconds: number, execution = id) => idleSlices(store.sql, execution, seconds).map((one) => one.id);
    return { ...made, sentAgo, assignedAgo, idle };
  }
  const [first, second] = [messageOf(sliceName), messageOf(secondSlice.slice_filename)];

  it('are those sent more than a given number of seconds ago and still queued', async () => {
    const { idle, say } = await sent();
    expect(idle(60)).toEqual([first, second]);
    expect(idle(160)).toEqual([]);
    expect(idle(60, 'another')).toEqual([]);
    await say('slice_result', { ...byWorker(1), state: 'done' });
    expect(idle(60)).toEqual([second]);
    // One that failed waits for nobody.
    await say('slice_result', { ...byWorker(1), ...secondSlice, state: 'failed' });
    expect(idle(60)).toEqual([]);
  });

  it('are listed with their current attempt', async () => {
    const { idle, say, sentAgo } = await sent();
    await say('slice_result', { ...byWorker(1), state: 'failed' });
    await say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    expect(idle(60)).toEqual([second]);
    sentAgo(100);
    expect(idle(60)).toEqual([messageOf(sliceName, 2), second]);
  });

  it('include those that the broker refused, but not those that were never sent', async () => {
    const { store, idle } = await sent();
    store.db.exec('UPDATE message_rows SET outbox_sent_at = NULL');
    expect(idle(60)).toEqual([]);
    const seq = store.db.prepare('SELECT seq FROM workflow_messages WHERE message_id = ?').pluck().get(first) as number;
    await store.write((tx) => markUnsendable(tx, seq));
    expect(idle(60)).toEqual([first]);
  });

  it.each([
    ['a known worker for more than the given time', 'worker', 90, 110],
    ['an unknown worker for more than ten minutes', 'stranger', 590, 610],
  ] as const)('include those in progress with %s', async (_, name, soon, late) => {
    const { store, say, idle, sentAgo, assignedAgo } = await sent();
    await store.write((tx) => {
      const process = registerProcess(tx, { pid: 7, pid_started: '1', hostname: 'host' }, '1.0.0');
      tx.sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES ('worker', 'worker', 'test', 'READY', ?, ?)`,
      ).run(ago(0), process);
    });
    await say('slice_started', { ...byWorker(1), worker_id: `${name}/01` });
    sentAgo(1000);
    assignedAgo(soon);
    expect(idle(100)).toEqual([second]);
    assignedAgo(late);
    expect(idle(100)).toEqual([first, second]);
  });

  it('do not include one that has waited for exactly the given time', async () => {
    const setClock = fakeClock();
    const { store, say } = await withSlice();
    const wait = (since: number, assigned: number) =>
      store.db.exec(
        `UPDATE message_rows SET goes_out = 1, outbox_sent_at = '${at(since)}' WHERE short_id LIKE '%/slice/%';
         UPDATE tf_slices SET assigned_at = '${at(assigned)}' WHERE status = 'processing'`,
      );
    const isIdle = () => idleSlices(store.sql, id, 100).length > 0;
    setClock(1000);
    wait(900, 0);
    expect(isIdle()).toBe(false);
    wait(899.999, 0);
    expect(isIdle()).toBe(true);
    await say('slice_started', { ...byWorker(1), worker_id: 'stranger/01' });
    wait(0, 400);
    expect(isIdle()).toBe(false);
    wait(0, 399.999);
    expect(isIdle()).toBe(true);
  });

  it('are returned with the fields that a worker needs', async () => {
    const { store } = await sent();
    expect(queuedSlice(store.sql, second)).toMatchObject({ slice_id: 1, tf_filename: sample, start: 1, end: 1 });
  });
});
