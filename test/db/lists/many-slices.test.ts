import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listStfFiles, type StfFileFilter } from '../../../src/db/lists/files.ts';
import { listTfSlices, type TfSliceFilter } from '../../../src/db/lists/tf-slices.ts';
import { makeStoreForAll, type TestStore } from '../../made-store.ts';

/** More rows than a page of any list checks. */
const rows = 12_000;

/** As SQL: row n was created in second n of 2026; the first two, the only ones with a worker, ended at the end of the year. */
const made = `strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', n || ' seconds')`;
const ended = `iif(n <= 2, '2026-12-31T00:00:00.000Z', NULL)`;

let store: TestStore['store'];

beforeAll(async () => {
  ({ store } = await makeStoreForAll());
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})`;
  await store.write(({ sql }) => {
    sql(
      `${numbers} INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, execution_id, status, attempt, assigned_worker, created_at, assigned_at, completed_at)
       SELECT 'slice-' || n, 0, 't', 'e', 'completed', iif(n <= 2, 4 - n, 1), iif(n <= 2, 'worker-agent-ada-1/07', NULL), ${made}, ${ended}, ${ended} FROM numbers`,
    ).run();
    sql(
      `${numbers} INSERT INTO stf_files (stf_filename, execution_id, status, created_at, processed_at, slice_count)
       SELECT 'stf-' || n, 'e', iif(n <= 2, 'processed', 'registered'), ${made}, ${ended}, n <= 2 FROM numbers`,
    ).run();
  });
});
afterAll(() => store.close());

const page = { order: 'newest', limit: 5 } as const;
const atEnd = { start_time: '2026-12-31T00:00:00.000Z', end_time: '2026-12-31T00:00:00.000Z' };

describe('the oldest of very many rows', () => {
  it.each<[what: string, filter: TfSliceFilter, found: string]>([
    ['completed in a time window', { time_field: 'completed', ...atEnd }, 'slice-2 slice-1'],
    ['started in a time window', { time_field: 'started', ...atEnd }, 'slice-2 slice-1'],
    ['of an agent', { assigned_worker: 'worker-agent-ada-1' }, 'slice-2 slice-1'],
    ['of a slot', { assigned_worker: '7' }, 'slice-2 slice-1'],
    ['of a worker', { assigned_worker: 'worker-agent-ada-1/07' }, 'slice-2 slice-1'],
    ['that were retried', { min_retries: 1 }, 'slice-2 slice-1'],
    ['that were retried twice', { min_retries: 2 }, 'slice-1'],
    ['that were retried twice in an execution', { min_retries: 2, execution_id: 'e' }, 'slice-1'],
  ])('are on the first page of slices %s', (_what, filter, found) => {
    const listed = listTfSlices(store.sql, filter, page);
    expect(listed.rows.map((row) => row.slice_filename).join(' ')).toBe(found);
    const total_count = found.split(' ').length;
    expect(listed).toMatchObject({ has_more: false, total_count, total_is_lower_bound: false });
  });

  it.each<[what: string, filter: StfFileFilter]>([
    ['processed in a time window', { time_field: 'completed', ...atEnd }],
    ['with slices', { has_slices: true }],
    ['with slices in an execution', { has_slices: true, execution_id: 'e' }],
  ])('are on the first page of STF files %s', (_what, filter) => {
    const listed = listStfFiles(store.sql, filter, page);
    expect(listed.rows.map((row) => row.stf_filename)).toEqual(['stf-2', 'stf-1']);
    expect(listed).toMatchObject({ has_more: false, total_count: 2, total_is_lower_bound: false });
  });

  it('are on a later page if the first page stops after ten thousand rows', () => {
    const first = listStfFiles(store.sql, { status: 'processed' }, page);
    expect(first).toMatchObject({ rows: [], has_more: true, scanStoppedAt: 2001, total_is_lower_bound: true });
    const next = listStfFiles(store.sql, { status: 'processed' }, { ...page, after: first.scanStoppedAt });
    expect(next).toMatchObject({ rows: [{ stf_filename: 'stf-2' }, { stf_filename: 'stf-1' }], has_more: false });
  });
});
