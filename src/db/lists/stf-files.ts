import type { StfStatus } from '../../domain/states.ts';
import type { TimeField } from '../../domain/summary-words.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { keptCount, type OfExecution, ofExecution } from './by-execution.ts';
import { listRows } from './list-rows.ts';
import { type ListPage, manyRows, type Page, type Texts, type Window } from './page.ts';

export interface StfFileRow {
  key: number;
  stf_filename: string;
  run_number: number | null;
  execution_id: string;
  sequence: number | null;
  status: StfStatus;
  checksum: string | null;
  size_bytes: number | null;
  tf_count: number | null;
  tf_file_count: number;
  slice_count: number;
  created_at: string;
  processed_at: string | null;
}

export interface StfFileFilter extends Window, OfExecution, Texts<'status' | 'stf_filename'> {
  has_slices?: boolean | undefined;
  time_field?: Exclude<TimeField, 'started'> | undefined;
}

export function listStfFiles(sql: Prepare, filter: StfFileFilter, page: Page): ListPage<StfFileRow> {
  const { status, has_slices, time_field = 'created' } = filter;
  const isOtherTime = time_field === 'completed';
  return listRows<StfFileRow>(sql, {
    select: `seq AS key, stf_filename, run_number, execution_id, sequence, status, checksum, size_bytes, tf_count,
      tf_file_count, slice_count, created_at, processed_at`,
    from: 'stf_files',
    key: 'seq',
    time: isOtherTime ? 'processed_at' : 'created_at',
    blocksOf: 'stf_files',
    ...(isOtherTime ? { madeAt: 'created_at' } : {}),
    ...(isOtherTime || has_slices !== undefined ? { scanLimit: manyRows } : {}),
    conditions: {
      ...ofExecution(sql, filter),
      stf_filename: ['stf_filename = ?', filter.stf_filename],
      registered: [`${indexPredicates.registeredStf} AND status = ?`, status === 'registered' ? status : undefined],
      failed: [`${indexPredicates.failedStf} AND status = ?`, status === 'failed' ? status : undefined],
      status: ['status = ?', status === 'processed' ? status : undefined],
      slices: ['(slice_count > 0) = ?', has_slices === undefined ? undefined : Number(has_slices)],
    },
    indexes: [
      ['sqlite_autoindex_stf_files_1', ['stf_filename']],
      ['stf_files_registered', ['execution', 'registered']],
      ['stf_files_failed', ['failed']],
      ['stf_files_execution', ['execution']],
    ],
    window: filter,
    total: keptCount(sql, 'stfs_announced', filter, [status, has_slices, filter.stf_filename]),
    page,
  });
}
