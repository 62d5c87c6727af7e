import { describe, expect, it } from 'vitest';

import { phaseChanges, waitingSince } from '../../../src/db/reports/waiting.ts';
import type { Transaction } from '../../../src/db/sqlite/transaction.ts';
import { executionParamsSchema } from '../../../src/domain/params.ts';
import { makeRunningStore, makeStore, noCounts } from '../../made-store.ts';
import { observe, type Row } from '../observed/observed-rows.ts';
import { at, sample, slice, stf } from './file-rows.ts';

const params = executionParamsSchema.parse({ fastmon: { tf_samples_per_stf: 2 } });
const done = { status: 'processed' };

describe('a stage', () => {
  it.each<[what: string, write: (tx: Transaction) => void, counts: [queued: number, expected: number], since: object]>([
    ['for nothing if there are no rows', () => {}, [1, 9], {}],
    [
      'for the oldest announced STF file that is not ready',
      (tx) => {
        stf(tx, 'theirs', 1, { execution_id: 'other' });
        stf(tx, 'ready', 2, { ...done, processed_at: at(3), tf_file_count: 2 });
        stf(tx, 'first', 4);
        stf(tx, 'second', 5);
      },
      [1, 9],
      { data: at(4) },
    ],
    [
      'for samples since the last partly sampled STF file became ready',
      (tx) => {
        stf(tx, 'theirs', 1, { execution_id: 'other', ...done, processed_at: at(1) });
        stf(tx, 'without', 1, { ...done, processed_at: at(2) });
        stf(tx, 'passed over', 2, { ...done, processed_at: at(3), tf_file_count: 1 });
        stf(tx, 'last', 3, { ...done, processed_at: at(4), tf_file_count: 1 });
        stf(tx, 'next', 4, { ...done, processed_at: at(5) });
        stf(tx, 'theirs too', 5, { execution_id: 'other', ...done, processed_at: at(9), tf_file_count: 1 });
      },
      [1, 9],
      { fastmon: at(4) },
    ],
    [
      'for no samples if the last STF file with samples has all of them',
      (tx) => {
        stf(tx, 'whole', 2, { ...done, processed_at: at(3), tf_file_count: 2 });
      },
      [1, 9],
      {},
    ],
    [
      'for slices since the first sample after the last one with slices',
      (tx) => {
        sample(tx, 'theirs', 1, { execution_id: 'other' });
        sample(tx, 'cut first', 1, { slice_count: 15 });
        sample(tx, 'skipped', 2);
        sample(tx, 'cut', 3, { slice_count: 15 });
        sample(tx, 'first', 4);
        sample(tx, 'second', 5);
        sample(tx, 'theirs too', 6, { execution_id: 'other', slice_count: 15 });
      },
      [0, 1],
      { fast_processing: at(4) },
    ],
    ['for no slices if all were made', (tx) => sample(tx, 'first', 4), [0, 0], {}],
    [
      'for a worker since the oldest slice was queued',
      (tx) => {
        slice(tx, 'theirs', 1, { execution_id: 'other' });
        slice(tx, 'in hand', 2, { status: 'processing' });
        slice(tx, 'failed', 3, { status: 'failed' });
        slice(tx, 'first', 4);
        slice(tx, 'second', 5);
      },
      [1, 0],
      { worker: at(4) },
    ],
    [
      'for a worker since a slice was queued again',
      (tx) => slice(tx, 'again', 4, { queued_again_at: at(7) }),
      [1, 0],
      { worker: at(7) },
    ],
    ['for no worker while nothing is counted as queued', (tx) => slice(tx, 'first', 4), [0, 0], {}],
  ])('waits %s', async (_, write, [slices_queued, slices_expected], since) => {
    const { store } = await makeStore();
    await store.write(write);
    const counts = { ...noCounts, slices_queued, slices_created: 0 };
    expect(waitingSince(store.sql, 'e', counts, { slices_expected, params })).toEqual(since);
  });
});

describe('the phase changes of an execution', () => {
  it('are the newest that had an effect, oldest first', async () => {
    const made = await makeRunningStore();
    const id = 'stf_datataking-tester-0001';
    const { sql } = made.store;
    await made.say('pause_run', { ordinal: 1, reason: 'period', timestamp: at(1) });
    await made.say('note', { command_id: 'n', text: 'x', author: 'ana' });
    await made.say('resume_run', { ordinal: 1, reason: 'period', timestamp: at(3) });
    await made.say('resume_run', { ordinal: 2, reason: 'operator', timestamp: at(4) });
    const types = (limit: number, of = id) => phaseChanges(sql, of, limit).map(({ type }) => type);
    expect(types(9)).toEqual(['run_imminent', 'start_run', 'pause_run', 'resume_run']);
    expect(types(2)).toEqual(['pause_run', 'resume_run']);
    expect(types(9, 'another')).toEqual([]);
    expect(phaseChanges(sql, id, 2)).toMatchObject([
      { reason: 'period', by: 'tester' },
      { reason: 'period', by: 'tester' },
    ]);
  });

  it.each<[what: string, told: Row, ended: object[]]>([
    [
      'an end by the person whom its monitor names',
      { told_status: 'terminated', told_end_ms: 5000, told_by: 'ana' },
      [{ type: 'workflow_ended', at: 5000, reason: 'terminated', by: 'ana' }],
    ],
    ['an end due to a failure', { told_status: 'failed', told_end_ms: 5000 }, [{ reason: 'failed', by: undefined }]],
    ['no end if it was completed', { told_status: 'completed', told_end_ms: 5000 }, []],
    ['no end if no time is known', { told_status: 'failed' }, []],
    [
      'no end if only another execution ended',
      { execution_id: 'another', told_status: 'failed', told_end_ms: 5000 },
      [],
    ],
  ])('include, for an observed execution, %s', async (_, told, ended) => {
    const { store } = await makeStore();
    await store.write((tx) => observe(tx, { execution_id: 'seen', ...told }));
    expect(phaseChanges(store.sql, 'seen', 9)).toMatchObject(ended);
  });
});
