import type { StfStatus } from '../workflow/states.ts';
import { ofRun } from './executions.ts';
import { type Conditions, type ListPage, listRows, type Page } from './page.ts';
import type { Prepare } from './statements.ts';

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
  const conditions: Conditions = [
    ['stf_filename = ?', filter.stf_filename],
    [ofRun, filter.run_number],
    ['execution_id = ?', filter.execution_id],
    ['status = ?', filter.status],
    ['created_at >= ?', filter.start_time],
    ['created_at <= ?', filter.end_time],
  ];
  return listRows<StfFileRow>(sql, {
    select: `seq AS key, stf_filename, run_number, execution_id, sequence, status, checksum, size_bytes, tf_count,
      tf_file_count, slice_count, created_at, processed_at`,
    from: 'stf_files',
    key: 'seq',
    conditions,
    page,
  });
}
