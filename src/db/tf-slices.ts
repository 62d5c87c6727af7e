import type { SliceStatus } from '../workflow/slices.ts';
import { ofRun } from './executions.ts';
import { type Conditions, type ListPage, listRows, type Page } from './page.ts';
import type { Prepare } from './statements.ts';

export interface TfSliceRow {
  key: number;
  slice_filename: string;
  slice_id: number;
  tf_filename: string;
  stf_filename: string;
  run_number: number;
  execution_id: string;
  tf_first: number;
  tf_last: number;
  tf_count: number;
  status: SliceStatus;
  attempt: number;
  assigned_worker: string | null;
  created_at: string;
  assigned_at: string | null;
  completed_at: string | null;
  error: string | null;
  exit_code: number | null;
  signal: string | null;
  output_tail: string | null;
  /** JSON: name, size_bytes, checksum of each. */
  outputs: string | null;
  outputs_omitted: number | null;
}

export interface TfSliceFilter {
  run_number?: number | undefined;
  execution_id?: string | undefined;
  stf_filename?: string | undefined;
  tf_filename?: string | undefined;
  status?: string | undefined;
  assigned_worker?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

export function listTfSlices(sql: Prepare, filter: TfSliceFilter, page: Page): ListPage<TfSliceRow> {
  const conditions: Conditions = [
    ['tf_filename = ?', filter.tf_filename],
    ['stf_filename = ?', filter.stf_filename],
    [`s.${ofRun}`, filter.run_number],
    ['s.execution_id = ?', filter.execution_id],
    ['status = ?', filter.status],
    ['assigned_worker = ?', filter.assigned_worker],
    ['created_at >= ?', filter.start_time],
    ['created_at <= ?', filter.end_time],
  ];
  return listRows<TfSliceRow>(sql, {
    select: `seq AS key, slice_filename, slice_id, tf_filename, stf_filename, run_number, s.execution_id, tf_first, tf_last,
      tf_count, status, attempt, assigned_worker, created_at, assigned_at, s.completed_at, s.error,
      exit_code, signal, output_tail, outputs, outputs_omitted`,
    from: 'tf_slices AS s',
    join: 'LEFT JOIN slice_attempts USING (slice_filename, attempt)',
    key: 'seq',
    conditions,
    page,
  });
}
