import type { SliceStatus } from '../../domain/slice-states.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { isProcessAlive, type LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { keptCount, ofExecution } from './by-execution.ts';
import { type Condition, type ListPage, listRows, type Page } from './page.ts';

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
  status?: SliceStatus | undefined;
  assigned_worker?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
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
    paths: [
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

/** The condition of a state, in the words of its index, without which SQLite would not use it. */
function ofState({ status, execution_id, run_number }: TfSliceFilter): Record<string, Condition> {
  if (status === undefined) return {};
  if (status === 'completed') return { completed: ['status = ?', status] };
  const isUnfinished = `status = '${status}' AND status IN ('queued', 'processing', 'failed') AND status = ?`;
  if (execution_id !== undefined || run_number !== undefined) return { unfinished: [isUnfinished, status] };
  if (status === 'failed') return { failed: [isUnfinished, status] };
  return { pending: [`status IN ('queued', 'processing') AND status = ?`, status] };
}

/** The first slices of an execution that have stayed failed. */
export function exhaustedSlices(sql: Prepare, executionId: string, limit: number): string[] {
  // Most of the failed have no attempt left; which do, the next retry decides.
  return sql<[string, number], { slice_filename: string }>(
    `SELECT slice_filename FROM tf_slices
     WHERE execution_id = ? AND status = 'failed' AND status IN ('queued', 'processing', 'failed') ORDER BY seq LIMIT ?`,
  )
    .all(executionId, limit)
    .map(({ slice_filename }) => slice_filename);
}

/** How long the slices in work have been so, on average; undefined where none is. */
export function secondsInHand(sql: Prepare, executionId: string, now: number): number | undefined {
  const row = sql<[string], { begun: number | null }>(
    `SELECT avg(unixepoch(assigned_at, 'subsec')) AS begun FROM tf_slices
     WHERE execution_id = ? AND status = 'processing' AND status IN ('queued', 'processing', 'failed')`,
  ).get(executionId);
  return row?.begun === null || row === undefined ? undefined : Math.max(0, now / 1000 - row.begun);
}

interface WorkedRow extends ProcessIdentity {
  slice: string;
  worker: string;
  last_beat: string;
}

/** Slices in work whose worker's process is gone, as far as this store knows the worker. */
export function lostSlices(
  sql: Prepare,
  executionId: string,
  isAlive: LivenessTest,
): { worker: string; slice: string }[] {
  return sql<[string], WorkedRow>(
    `SELECT slice_filename AS slice, assigned_worker AS worker, pid, pid_started, hostname, last_beat
     FROM tf_slices AS s
       JOIN system_agents ON agent_name = substr(assigned_worker, 1, instr(assigned_worker, '/') - 1)
       JOIN processes USING (process_id)
     WHERE s.execution_id = ? AND s.status = 'processing' AND s.status IN ('queued', 'processing', 'failed') ORDER BY s.seq`,
  )
    .all(executionId)
    .filter((row) => !isProcessAlive(row, isAlive))
    .map(({ worker, slice }) => ({ worker, slice }));
}

const sliceColumns: Readonly<Record<SliceStatus, string>> = {
  queued: 'slices_queued',
  processing: 'slices_processing',
  completed: 'slices_completed',
  failed: 'slices_failed',
};
