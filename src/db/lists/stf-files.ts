import type { StfStatus } from '../../domain/states.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { keptCount, ofExecution } from './by-execution.ts';
import { type ListPage, listRows, type Page } from './page.ts';

export interface StfFileRow {
  key: number;
  stf_filename: string;
  run_number: number;
  execution_id: string;
  sequence: number;
  status: StfStatus;
  checksum: string | null;
  size_bytes: number | null;
  tf_count: number;
  tf_file_count: number;
  slice_count: number;
  created_at: string;
  processed_at: string | null;
}

export interface StfFileFilter {
  run_number?: number | undefined;
  execution_id?: string | undefined;
  status?: string | undefined;
  stf_filename?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

export function listStfFiles(sql: Prepare, filter: StfFileFilter, page: Page): ListPage<StfFileRow> {
  const { status } = filter;
  return listRows<StfFileRow>(sql, {
    select: `seq AS key, stf_filename, run_number, execution_id, sequence, status, checksum, size_bytes, tf_count,
      tf_file_count, slice_count, created_at, processed_at`,
    from: 'stf_files',
    key: 'seq',
    time: 'created_at',
    blocksOf: 'stf_files',
    conditions: {
      ...ofExecution(sql, filter),
      stf_filename: ['stf_filename = ?', filter.stf_filename],
      // In the words of their indexes.
      registered: [`status = 'registered' AND status = ?`, status === 'registered' ? status : undefined],
      failed: [`status = 'failed' AND status = ?`, status === 'failed' ? status : undefined],
      status: ['status = ?', status === 'processed' ? status : undefined],
    },
    paths: [
      ['sqlite_autoindex_stf_files_1', ['stf_filename']],
      ['stf_files_registered', ['execution', 'registered']],
      ['stf_files_failed', ['failed']],
      ['stf_files_execution', ['execution']],
    ],
    window: filter,
    total: keptCount(sql, 'stfs_announced', filter, [status, filter.stf_filename, filter.start_time, filter.end_time]),
    page,
  });
}
