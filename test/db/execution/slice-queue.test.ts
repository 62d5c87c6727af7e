import { describe, expect, it } from 'vitest';

import { openSliceQueue } from '../../../src/db/execution/overview.ts';
import { registerAgent } from '../../../src/db/presence/agent-registry.ts';
import { registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
import { makeRunningStore, makeStore, noCounts } from '../../made-store.ts';
import { byWorker, sample, secondSlice, slice, sliceName, stf, withSlice } from '../one-slice.ts';

const execution_id = 'stf_datataking-tester-0001';
const queueOf = ({ store }: Pick<Awaited<ReturnType<typeof makeStore>>, 'store'>, living: () => boolean = () => true) =>
  openSliceQueue(store.sql, execution_id, living);
const first = {
  slice_id: 0,
  slice_filename: sliceName,
  tf_filename: sample,
  stf_filename: stf,
  tf_first: 0,
  tf_last: 0,
  tf_count: 1,
  attempt: 1,
};

async function withTwoSlices() {
  const made = await withSlice({ worker: { max_retries: 1 } });
  await made.say('slice', { ...secondSlice, stf_filename: stf, start: 1, end: 1, tf_count: 1 });
  return made;
}

describe('the queue of slices', () => {
  it('lists waiting slices, oldest first and up to a limit, and those in progress', async () => {
    const made = await withTwoSlices();
    const queue = queueOf(made);
    const second = { ...first, slice_id: 1, slice_filename: secondSlice.slice_filename, tf_first: 1, tf_last: 1 };
    expect(queue.queued(10)).toEqual([first, second]);
    expect(queue.queued(1)).toEqual([first]);
    expect(queue.inProcess()).toEqual([]);
    await made.say('slice_started', byWorker(1));
    expect(queue.queued(10)).toEqual([second]);
    expect(queue.inProcess()).toEqual([{ ...first, worker_id: 'worker/01', hostname: 'host' }]);
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect([queue.queued(10), queue.inProcess()]).toEqual([[second], []]);
    expect(openSliceQueue(made.store.sql, 'another', () => true).queued(10)).toEqual([]);
  });

  it('lists a slice in progress even if its worker reported no host', async () => {
    const made = await withSlice();
    await made.say('slice_started', { ...byWorker(1) });
    made.store.db.exec('UPDATE tf_slices SET hostname = NULL');
    expect(queueOf(made).inProcess()).toMatchObject([{ worker_id: 'worker/01', hostname: '' }]);
  });

  it('is open except in standby, even for an unknown run', async () => {
    const made = await makeRunningStore();
    const queue = queueOf(made);
    expect(queue.isOpen()).toBe(true);
    await made.say('pause_run', { ordinal: 1, reason: 'period' });
    expect(queue.isOpen()).toBe(false);
    await made.say('resume_run', { ordinal: 2, reason: 'period' });
    expect(queue.isOpen()).toBe(true);
    expect(queueOf(await makeStore()).isOpen()).toBe(true);
  });
});

describe('an attempt that a broker delivers', () => {
  it('is open until it has a result, and over afterwards', async () => {
    const made = await withTwoSlices();
    const queue = queueOf(made);
    const standings = () => [1, 2, 3].map((attempt) => queue.standing(sliceName, attempt));
    const again = { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 };
    // The broker may be ahead of the log.
    expect(standings()).toEqual(['open', 'open', 'open']);
    await made.say('slice_started', byWorker(1));
    expect(standings()).toEqual(['open', 'open', 'open']);
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    expect(standings()).toEqual(['over', 'open', 'open']);
    await made.say('slice', again);
    expect(standings()).toEqual(['over', 'open', 'open']);
    await made.say('slice_result', { ...byWorker(2), state: 'done' });
    expect(standings()).toEqual(['over', 'over', 'open']);
    expect(queue.standing('not-yet-heard.tf', 1)).toBe('open');
  });

  it('is over once its execution has ended or been removed, and open if the execution is unknown', async () => {
    const made = await withSlice();
    await made.say('workflow_ended', { status: 'terminated', reason: 'stopped', ...noCounts });
    expect(queueOf(made).standing(sliceName, 1)).toBe('over');
    const empty = await makeStore();
    expect(queueOf(empty).standing(sliceName, 1)).toBe('open');
    empty.store.db.exec(`INSERT INTO removals (execution_id) VALUES ('${execution_id}')`);
    expect(queueOf(empty).standing(sliceName, 1)).toBe('over');
  });

  it('is abandoned once three workers have been lost with it', async () => {
    const made = await withSlice();
    const { store } = made;
    const { driver, worker } = await store.write((tx) => {
      const register = (pid: number) => registerProcess(tx, { pid, pid_started: '1', hostname: 'host' }, '1.0.0');
      return { driver: register(101), worker: register(102) };
    });
    await store.write((tx) => takeOwnership(tx, execution_id, driver, () => true));
    store.db.exec(`UPDATE processes SET registered_at = '2026-01-01T00:00:00.000Z'`);
    const standings: string[] = [];
    for (const slot of ['01', '02', '03']) {
      const sender = await store.write((tx) =>
        registerAgent(tx, { type: 'worker', user: 'tester', namespace: 'test', process_id: worker }),
      );
      await made.say('slice_started', { ...byWorker(1, slot), sender });
      standings.push(queueOf(made, () => false).standing(sliceName, 1));
    }
    expect(standings).toEqual(['open', 'open', 'given up']);
    expect(queueOf(made).standing(sliceName, 1)).toBe('open');
    expect(queueOf(made, () => false).standing(sliceName, 2)).toBe('open');
  });
});
