import type { SliceStatus } from '../../domain/slice-states.ts';
import type { SliceOrder, TimeField } from '../../domain/summary-words.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { sliceLostStarts } from '../migrations/lost-starts.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';
import { keptCount, ofExecution } from './by-execution.ts';
import type { Condition, ListQuery } from './list-query.ts';
import { listRows } from './list-rows.ts';
import { listSorted } from './list-sorted.ts';
import { type ListPage, manyRows, type Page } from './page.ts';
import { outputsHost, payloadAsked } from './slice-payloads.ts';
import type { TfFileFilter, TfFileRow } from './tf-files.ts';
import { workerConditions } from './workers.ts';

export interface TfSliceRow extends Pick<
  TfFileRow,
  | 'key'
  | 'tf_filename'
  | 'stf_filename'
  | 'run_number'
  | 'execution_id'
  | 'tf_first'
  | 'tf_last'
  | 'tf_count'
  | 'created_at'
> {
  slice_filename: string;
  slice_id: number;
  status: SliceStatus;
  attempt: number;
  lost_starts: number;
  assigned_worker: string | null;
  /** Of its worker; null if no message says it. */
  host: string | null;
  assigned_at: string | null;
  completed_at: string | null;
  error: string | null;
  /** Wall time of its attempt from hand-over to result; null before its end. */
  seconds: number | null;
  /** Wall time of the payload, as its worker measured it; null if not reported. */
  processing_seconds: number | null;
  exit_code: number | null;
  signal: string | null;
  output_tail: string | null;
  /** JSON: name, size_bytes, checksum of each. */
  outputs: string | null;
  outputs_omitted: number | null;
  /** The data folder that has the outputs; null without outputs, or if another host has them. */
  outputs_root: string | null;
  /** The payload that its last attempt asks for: name and digest; null for the placeholder. */
  payload: string | null;
}

export interface TfSliceFilter extends TfFileFilter {
  status?: SliceStatus | undefined;
  slice_filename?: string | undefined;
  /** A worker, an agent or a slot. */
  assigned_worker?: string | undefined;
  min_retries?: number | undefined;
  time_field?: TimeField | undefined;
  order_by?: SliceOrder | undefined;
}

const times: Record<TimeField, string> = { created: 'created_at', started: 'assigned_at', completed: 'completed_at' };

/** From hand-over to result; as measured, where the times of recording cannot be right. */
export const sliceSeconds = `coalesce(took_ms / 1000.0, unixepoch(completed_at, 'subsec') - unixepoch(assigned_at, 'subsec'))`;

const sliceAttempts = `attempt + ${sliceLostStarts('s')}`;

const orders: Readonly<Record<Exclude<SliceOrder, 'recorded'>, string>> = {
  seconds: sliceSeconds,
  retries: sliceAttempts,
};

/** Throws `ARGUMENT_INVALID` if there are too many slices to sort. */
export function listTfSlices(sql: Prepare, filter: TfSliceFilter, page: Page): ListPage<TfSliceRow> {
  const query = queryOf(sql, filter, page);
  const { order_by = 'recorded' } = filter;
  return order_by === 'recorded'
    ? listRows<TfSliceRow>(sql, query)
    : listSorted<TfSliceRow>(sql, query, orders[order_by]);
}

function queryOf(sql: Prepare, filter: TfSliceFilter, page: Page): ListQuery {
  const { status, time_field = 'created', min_retries } = filter;
  const { tf_filename, stf_filename, slice_filename, assigned_worker } = filter;
  const others = [tf_filename, stf_filename, slice_filename, assigned_worker, min_retries];
  const isOtherTime = time_field !== 'created';
  const workers = workerConditions(sql, assigned_worker);
  const isScan = isOtherTime || workers.workers[1] !== undefined || (min_retries ?? 0) > 0;
  return {
    select: `seq AS key, slice_filename, slice_id, tf_filename, stf_filename, run_number, s.execution_id, tf_first, tf_last,
      tf_count, status, attempt, ${sliceLostStarts('s')} AS lost_starts, assigned_worker, iif(left_by IS NULL, s.hostname, NULL) AS host, created_at, assigned_at, completed_at, error,
      ${sliceSeconds} AS seconds, processing_seconds,
      exit_code, signal, output_tail, outputs, outputs_omitted,
      (SELECT ${jsonField('w.params', 'data.dir')} FROM workflow_executions AS w
        WHERE outputs IS NOT NULL AND ${outputsHost} IS NULL AND w.execution_id = s.execution_id) AS outputs_root,
      ${payloadAsked} AS payload`,
    from: 'tf_slices AS s',
    join: 'LEFT JOIN payload_results USING (slice_filename, execution_id, attempt)',
    key: 'seq',
    time: times[time_field],
    blocksOf: 'tf_slices',
    ...(isOtherTime ? { madeAt: times.created } : {}),
    ...(isScan ? { scanLimit: manyRows } : {}),
    conditions: {
      ...ofExecution(sql, filter, 's.'),
      tf: ['tf_filename = ?', tf_filename],
      stf: ['stf_filename = ?', stf_filename],
      slice: ['slice_filename = ?', slice_filename],
      ...workers,
      retried: [
        `${indexPredicates.retriedSlice} AND ${sliceAttempts} > ?`,
        min_retries === 0 ? undefined : min_retries,
      ],
      ...ofState(filter),
    },
    indexes: [
      ['sqlite_autoindex_tf_slices_1', ['slice']],
      ['tf_slices_tf', ['tf']],
      ['tf_slices_stf', ['stf']],
      ['tf_slices_worker', ['worker']],
      ['tf_slices_open', ['execution', 'unfinished']],
      ['tf_slices_retried', ['execution', 'retried']],
      ['tf_slices_failed', ['failed']],
      ['tf_slices_pending', ['pending']],
      ['tf_slices_execution', ['execution']],
    ],
    window: filter,
    // Slices that wait for a worker, and those that nobody has answered, are counted as one.
    total:
      status === 'queued' || status === 'unanswered'
        ? undefined
        : keptCount(sql, `slices_${status ?? 'created'}`, filter, others),
    page,
  };
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
