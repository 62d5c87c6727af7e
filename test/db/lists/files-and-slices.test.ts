import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listStfFiles, listTfFiles, type StfFileFilter, type TfFileFilter } from '../../../src/db/lists/files.ts';
import type { ListPage, Page } from '../../../src/db/lists/list-query.ts';
import { listTfSlices, type TfSliceFilter } from '../../../src/db/lists/tf-slices.ts';
import type { TestStore } from '../../made-store.ts';
import { ada, at, bob, knownRuns, slice, stf, tf } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
});
afterAll(() => made.store.close());

const all: Page = { order: 'newest', limit: 50 };

/** The last digit of the run, and the number in the run: `0/2` is the second file, or slice 2, of run 100010. */
const shortName = (file: string): string => {
  const [, run = '', sequence = '', id] = /^swf\.10001(\d)\.0+(\d)(?:_slice_00(\d))?/.exec(file) ?? [];
  return `${run}/${id ?? sequence}`;
};

/** The names on a page, and the total count. */
const told = <Row>({ rows, total_count }: ListPage<Row>, nameOf: (row: Row) => string): string =>
  `${rows.map((row) => shortName(nameOf(row))).join(' ')} of ${total_count}`;

const slices = (filter: TfSliceFilter, page: Partial<Page> = {}): string =>
  told(listTfSlices(made.store.sql, filter, { ...all, ...page }), (row) => row.slice_filename);
const stfFiles = (filter: StfFileFilter, page: Partial<Page> = {}): string =>
  told(listStfFiles(made.store.sql, filter, { ...all, ...page }), (row) => row.stf_filename);
const tfFiles = (filter: TfFileFilter, page: Partial<Page> = {}): string =>
  told(listTfFiles(made.store.sql, filter, { ...all, ...page }), (row) => row.tf_filename);

const ofRun = (sequence: number) => ({ run_number: 100_010 + sequence });

describe('listing STF files', () => {
  it.each<[what: string, filter: StfFileFilter, answer: string]>([
    ['all', {}, '1/2 1/1 0/2 0/1 of 4'],
    ['those of an execution', { execution_id: ada }, '0/2 0/1 of 2'],
    ['those of a run', ofRun(1), '1/2 1/1 of 2'],
    ['those of an execution and its run', { execution_id: bob, ...ofRun(1) }, '1/2 1/1 of 2'],
    ['none for an execution and the run of another', { execution_id: ada, ...ofRun(1) }, ' of 0'],
    ['none for an unknown run', ofRun(9), ' of 0'],
    ['none for an unknown execution', { execution_id: 'nobody' }, ' of 0'],
    ['one by its name', { stf_filename: stf(100_010, 2) }, '0/2 of 1'],
    ['none for a name in another execution', { stf_filename: stf(100_010, 2), execution_id: bob }, ' of 0'],
    ['those that wait', { status: 'registered' }, '1/2 of 1'],
    ['the waiting ones of a run', { ...ofRun(0), status: 'registered' }, ' of 0'],
    ['those that were processed', { status: 'processed' }, '1/1 0/1 of 2'],
    ['the processed ones of a run', { ...ofRun(0), status: 'processed' }, '0/1 of 1'],
    ['those that failed', { status: 'failed' }, '0/2 of 1'],
    ['the failed ones of an execution', { execution_id: bob, status: 'failed' }, ' of 0'],
    ['those with slices', { has_slices: true }, '1/1 0/1 of 2'],
    ['those without slices', { has_slices: false }, '1/2 0/2 of 2'],
    ['those created at or after a start time', { start_time: at(15) }, '1/2 1/1 of 2'],
    ['none created just before a start time', { start_time: at(15.001) }, '1/2 of 1'],
    ['those created at or before an end time', { end_time: at(10) }, '0/2 0/1 of 2'],
    ['none created just after an end time', { end_time: at(9.999) }, '0/1 of 1'],
    ['those created in a window, ends included', { start_time: at(10), end_time: at(15) }, '1/1 0/2 of 2'],
    ['those processed at or after a start time', { time_field: 'completed', start_time: at(16) }, '1/1 of 1'],
    ['those processed at or before an end time', { time_field: 'completed', end_time: at(16) }, '1/1 0/1 of 2'],
    ['none processed just after an end time', { time_field: 'completed', end_time: at(15.999) }, '0/1 of 1'],
    [
      'those created at or before an end time, with the time field named',
      { time_field: 'created', end_time: at(3) },
      '0/1 of 1',
    ],
  ])('returns %s', (_what, filter, answer) => {
    expect(stfFiles(filter)).toBe(answer);
  });

  it('continues after a given file, in both orders', () => {
    const { rows } = listStfFiles(made.store.sql, {}, { ...all, limit: 2 });
    expect(stfFiles({}, { limit: 1, after: rows[1]?.key })).toBe('0/2 of 4');
    expect(stfFiles({}, { order: 'oldest', limit: 2 })).toBe('0/1 0/2 of 4');
    expect(stfFiles({}, { order: 'oldest', after: rows[1]?.key })).toBe('1/2 of 4');
  });

  it('returns each file with everything recorded about it', () => {
    const { rows } = listStfFiles(made.store.sql, { stf_filename: stf(100_010, 1) }, all);
    expect(rows).toEqual([
      {
        key: 1,
        stf_filename: stf(100_010, 1),
        run_number: 100_010,
        execution_id: ada,
        sequence: 1,
        status: 'processed',
        checksum: 'sum-1',
        size_bytes: 1000,
        tf_count: 100,
        tf_file_count: 1,
        slice_count: 4,
        created_at: at(3),
        registered_at: null,
        processed_at: at(4),
        sites: null,
      },
    ]);
  });
});

describe('listing TF files', () => {
  it.each<[what: string, filter: TfFileFilter, answer: string]>([
    ['all', {}, '1/1 0/1 of 2'],
    ['those of an execution', { execution_id: bob }, '1/1 of 1'],
    ['those of a run', ofRun(0), '0/1 of 1'],
    ['none for an execution and the run of another', { execution_id: ada, ...ofRun(1) }, ' of 0'],
    ['one by its name', { tf_filename: tf(100_011, 1) }, '1/1 of 1'],
    ['those of an STF file', { stf_filename: stf(100_010, 1) }, '0/1 of 1'],
    ['none for an STF file without one', { stf_filename: stf(100_010, 2) }, ' of 0'],
    ['none for an STF file in another execution', { stf_filename: stf(100_010, 1), execution_id: bob }, ' of 0'],
    ['those created at or after a start time', { start_time: at(16) }, '1/1 of 1'],
    ['none created just before a start time', { start_time: at(16.001) }, ' of 0'],
    ['those created at or before an end time', { end_time: at(4) }, '0/1 of 1'],
    ['none created just after an end time', { end_time: at(3.999) }, ' of 0'],
  ])('returns %s', (_what, filter, answer) => {
    expect(tfFiles(filter)).toBe(answer);
  });

  it('continues after a given TF file, in both orders', () => {
    expect(tfFiles({}, { after: 2 })).toBe('0/1 of 2');
    expect(tfFiles({}, { order: 'oldest', after: 1 })).toBe('1/1 of 2');
  });
});

describe('listing slices', () => {
  it.each<[what: string, filter: TfSliceFilter, answer: string]>([
    ['all', {}, '1/1 1/0 0/3 0/2 0/1 0/0 of 6'],
    ['those of an execution', { execution_id: bob }, '1/1 1/0 of 2'],
    ['those of a run', ofRun(0), '0/3 0/2 0/1 0/0 of 4'],
    ['those of an execution and its run', { execution_id: bob, ...ofRun(1) }, '1/1 1/0 of 2'],
    ['none for an execution and the run of another', { execution_id: bob, ...ofRun(0) }, ' of 0'],
    ['those of a TF file', { tf_filename: tf(100_010, 1) }, '0/3 0/2 0/1 0/0 of 4'],
    ['those of an STF file', { stf_filename: stf(100_011, 1) }, '1/1 1/0 of 2'],
    ['none for an STF file without one', { stf_filename: stf(100_010, 2) }, ' of 0'],
    ['one by its name', { slice_filename: slice(100_010, 1, 2) }, '0/2 of 1'],
    ['those that wait', { status: 'queued' }, '1/0 0/2 0/1 of 3'],
    ['the waiting ones of an execution', { execution_id: ada, status: 'queued' }, '0/2 0/1 of 2'],
    ['the waiting ones of a run', { ...ofRun(1), status: 'queued' }, '1/0 of 1'],
    ['those in progress', { status: 'processing' }, '1/1 of 1'],
    ['none in progress in another execution', { execution_id: ada, status: 'processing' }, ' of 0'],
    ['those in progress of a TF file', { tf_filename: tf(100_011, 1), status: 'processing' }, '1/1 of 1'],
    ['those that are completed', { status: 'completed' }, '0/0 of 1'],
    ['none completed in another execution', { execution_id: bob, status: 'completed' }, ' of 0'],
    ['those that failed', { status: 'failed' }, '0/3 of 1'],
    ['none failed in another execution', { execution_id: bob, status: 'failed' }, ' of 0'],
    ['those of a worker', { assigned_worker: 'worker-agent-ada-1/01' }, '0/0 of 1'],
    ['those of a worker by its short name', { assigned_worker: 'worker-agent-ada-1/1' }, '0/0 of 1'],
    ['those of an agent', { assigned_worker: 'worker-agent-ada-2' }, '0/3 of 1'],
    ['those of a slot', { assigned_worker: '1' }, '1/1 0/0 of 2'],
    ['those of a slot in an execution', { assigned_worker: '01', execution_id: bob }, '1/1 of 1'],
    ['those that were retried', { min_retries: 1 }, '0/1 of 1'],
    ['none that were retried more often', { min_retries: 2 }, ' of 0'],
    ['all if the given number of retries is 0', { min_retries: 0 }, '1/1 1/0 0/3 0/2 0/1 0/0 of 6'],
    ['only the retried ones of an execution', { execution_id: bob, min_retries: 1 }, ' of 0'],
    ['those created at or after a start time', { start_time: at(16) }, '1/1 1/0 of 2'],
    ['none created just before a start time', { start_time: at(16.001) }, ' of 0'],
    ['those created at or before an end time', { end_time: at(6) }, '0/3 0/2 0/1 0/0 of 4'],
    ['none created just after an end time', { end_time: at(5.999) }, ' of 0'],
    ['those started at or after a start time', { time_field: 'started', start_time: at(8) }, '1/1 0/3 of 2'],
    ['those started at or before an end time', { time_field: 'started', end_time: at(7) }, '0/0 of 1'],
    ['those completed at or after a start time', { time_field: 'completed', start_time: at(11) }, '0/3 of 1'],
    ['those completed at or before an end time', { time_field: 'completed', end_time: at(9) }, '0/0 of 1'],
    ['those completed in a window', { time_field: 'completed', start_time: at(9), end_time: at(11) }, '0/3 0/0 of 2'],
    ['all, longest first', { order_by: 'seconds' }, '0/3 0/0 0/1 0/2 1/0 1/1 of 6'],
    ['those of a state, longest first', { order_by: 'seconds', status: 'completed' }, '0/0 of 1'],
    ['those of a window, longest first', { order_by: 'seconds', start_time: at(16) }, '1/0 1/1 of 2'],
    ['all, most retried first', { order_by: 'retries' }, '0/1 0/0 0/2 0/3 1/0 1/1 of 6'],
    ['those of a run, most retried first', { order_by: 'retries', ...ofRun(1) }, '1/0 1/1 of 2'],
    ['those of a run, last recorded first', { order_by: 'recorded', ...ofRun(1) }, '1/1 1/0 of 2'],
  ])('returns %s', (_what, filter, answer) => {
    expect(slices(filter)).toBe(answer);
  });

  it('continues after a given slice, or after a given position if the list is sorted', () => {
    const page = (order_by: 'recorded' | 'seconds', after: number, order: Page['order'] = 'newest') => {
      const { rows, has_more, mayShift } = listTfSlices(made.store.sql, { order_by }, { order, limit: 2, after });
      return [rows.map((row) => shortName(row.slice_filename)), rows.map(({ key }) => key), has_more, mayShift];
    };
    expect(page('recorded', 3)).toEqual([['0/1', '0/0'], [2, 1], false, undefined]);
    expect(page('recorded', 4)).toEqual([['0/2', '0/1'], [3, 2], true, undefined]);
    expect(page('seconds', 0)).toEqual([['0/3', '0/0'], [1, 2], true, true]);
    expect(page('seconds', 3)).toEqual([['0/2', '1/0'], [4, 5], true, true]);
    expect(page('seconds', 4)).toEqual([['1/0', '1/1'], [5, 6], false, true]);
    // Slices without a time are last in either order.
    expect(page('seconds', 0, 'oldest')).toEqual([['0/0', '0/3'], [1, 2], true, true]);
  });

  it('returns each slice with the facts about its last attempt', () => {
    const { rows } = listTfSlices(made.store.sql, { execution_id: ada }, { ...all, order: 'oldest' });
    const facts = rows.map(({ status, attempt, seconds, exit_code, error, processing_seconds, payload, host }) => [
      `${status} ${attempt}`,
      host,
      seconds,
      exit_code,
      error,
      processing_seconds,
      payload,
    ]);
    expect(facts).toEqual([
      ['completed 1', 'host-a', 120, 0, null, 118, null],
      ['queued 2', null, null, null, 'no luck', null, expect.stringMatching(/^Reco sha256:[0-9a-f]{12}c{52}$/)],
      ['queued 1', null, null, null, null, null, null],
      ['failed 1', 'host-a', 180, 3, 'broken', null, null],
    ]);
  });
});
