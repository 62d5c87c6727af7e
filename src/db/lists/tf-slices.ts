import type { SliceStatus } from '../../domain/slice-states.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { keptCount, type OfExecution, ofExecution } from './by-execution.ts';
import type { Condition } from './list-query.ts';
import { listRows } from './list-rows.ts';
import type { ListPage, Page, Window } from './page.ts';

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

export interface TfSliceFilter extends Window, OfExecution {
  stf_filename?: string | undefined;
  tf_filename?: string | undefined;
  status?: SliceStatus | undefined;
  assigned_worker?: string | undefined;
}

export function listTfSlices(sql: Prepare, filter: TfSliceFilter, page: Page): ListPage<TfSliceRow> {
  const { status } = filter;
  return listRows<TfSliceRow>(sql, {
    select: `seq AS key, slice_filename, slice_id, tf_filename, stf_filename, run_number, s.execution_id, tf_first, tf_last,
      tf_count, status, attempt, assigned_worker, created_at, assigned_at, completed_at, error,
      exit_code, signal, output_tail, outputs, outputs_omitted`,
    from: 'tf_slices AS s',
    join: 'LEFT JOIN payload_results USING (slice_filename, attempt)',
    key: 'seq',
    time: 'created_at',
    blocksOf: 'tf_slices',
    conditions: {
      ...ofExecution(sql, filter, 's.'),
      tf: ['tf_filename = ?', filter.tf_filename],
      stf: ['stf_filename = ?', filter.stf_filename],
      worker: ['assigned_worker = ?', filter.assigned_worker],
      ...ofState(filter),
    },
    indexes: [
      ['tf_slices_tf', ['tf']],
      ['tf_slices_stf', ['stf']],
      ['tf_slices_worker', ['worker']],
      ['tf_slices_open', ['execution', 'unfinished']],
      ['tf_slices_failed', ['failed']],
      ['tf_slices_pending', ['pending']],
      ['tf_slices_execution', ['execution']],
    ],
    window: filter,
    total: keptCount(sql, status === undefined ? 'slices_created' : sliceColumns[status], filter, [
      filter.tf_filename,
      filter.stf_filename,
      filter.assigned_worker,
      filter.start_time,
      filter.end_time,
    ]),
    page,
  });
}

/** The condition of a state. Which index serves it depends on the other conditions. */
function ofState({ status, execution_id, run_number }: TfSliceFilter): Record<string, Condition> {
  if (status === undefined) return {};
  if (status === 'completed') return { completed: ['status = ?', status] };
  const isUnfinished = `status = '${status}' AND ${indexPredicates.openSlice} AND status = ?`;
  if (execution_id !== undefined || run_number !== undefined) return { unfinished: [isUnfinished, status] };
  if (status === 'failed') return { failed: [isUnfinished, status] };
  return { pending: [`${indexPredicates.pendingSlice} AND status = ?`, status] };
}

const sliceColumns: Readonly<Record<SliceStatus, string>> = {
  queued: 'slices_queued',
  processing: 'slices_processing',
  completed: 'slices_completed',
  failed: 'slices_failed',
};
