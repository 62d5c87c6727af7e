import type { SliceStatus } from '../../domain/slice-states.ts';
import type { SliceOrder, TimeField } from '../../domain/summary-words.ts';
import { logLevels } from '../../lib/logger.ts';
import { shortDigests } from '../../lib/words.ts';
import type { Evidence } from '../../monitoring/evidence.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { sliceLostStarts } from '../migrations/lost-starts.ts';
import { shortId } from '../migrations/names.ts';
import { type Prepare, jsonField } from '../sqlite/statements.ts';
import { keptCount, ofExecution, type TfFileFilter } from './files.ts';
import { columnsOf, type Condition, type ListQuery, manyRows, type Page, type RowOf } from './list-query.ts';
import { listRows, listSorted } from './list-rows.ts';
import { workerConditions } from './workers.ts';

/**
 * As SQL: the payload that the last attempt at a slice in `tf_slices AS s` requires, as name and digest; null
 * for the placeholder. The attempt's message is found by its id (`sliceMessageId`).
 */
export const payloadAsked = `(SELECT json_extract(body, '$.payload.name') || coalesce(' ' || json_extract(body, '$.payload.digest'), '')
    FROM message_rows WHERE short_id = ${shortId(`s.execution_id || '/slice/' || s.slice_filename || '/' || s.attempt`)} AND json_valid(body))`;

/**
 * As SQL: the host that has the outputs of a slice in `tf_slices AS s`, if that host fetched the slice's
 * file; otherwise the outputs are in the run's folder.
 */
export const outputsHost = `(SELECT iif(file_url LIKE 'file:%', NULL, s.hostname) FROM fastmon_files AS f
    WHERE f.tf_filename = s.tf_filename AND f.execution_id = s.execution_id)`;

/**
 * The payload that the newest slice of an execution requires, as shown to people; undefined for the
 * placeholder, and before the first slice.
 */
export function newestPayload(sql: Prepare, executionId: string) {
  const payload = sql<string | null>(
    `SELECT ${payloadAsked} FROM tf_slices AS s WHERE s.execution_id = ? ORDER BY s.seq DESC LIMIT 1`,
  ).value(executionId);
  return typeof payload === 'string' ? shortDigests(payload) : undefined;
}

/** The last change of the payload program between two drivers of an execution, as the later driver logged it. */
export const payloadChange = (sql: Prepare, executionId: string) =>
  sql<NonNullable<Evidence['payload_change']>>(
    `SELECT timestamp AS at, ${jsonField('context', 'payload_before')} AS before, ${jsonField('context', 'payload_now')} AS now
     FROM app_logs WHERE agent IN (SELECT sender_agent FROM workflow_messages WHERE execution_id = $id AND message_type = 'driver_started')
       AND +execution_id = $id AND level = ${logLevels.WARNING} AND now IS NOT NULL ORDER BY log_id DESC LIMIT 1`,
  ).get({ id: executionId });

/**
 * `outputs`: JSON. `outputs_root`: the data folder with the outputs; null if there are none, or if another
 * host has them.
 */
export type TfSliceRow = RowOf<
  'list_tf_slices',
  { attempt: number; lost_starts: number; outputs: string | null; outputs_root: string | null },
  'retries' | 'worker_gone' | 'outputs_folder'
>;

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

/** The seconds from hand-over to result, as measured by the worker if the recorded times cannot be right. */
export const sliceSeconds = `coalesce(took_ms / 1000.0, unixepoch(completed_at, 'subsec') - unixepoch(assigned_at, 'subsec'))`;

const otherColumns = {
  execution_id: 's.execution_id',
  attempt: 'attempt',
  lost_starts: sliceLostStarts('s'),
  retries: null,
  host: 'iif(left_by IS NULL, s.hostname, NULL)',
  worker_gone: null,
  seconds: sliceSeconds,
  payload: payloadAsked,
  outputs_root: `(SELECT ${jsonField('w.params', 'data.dir')} FROM workflow_executions AS w
    WHERE outputs IS NOT NULL AND ${outputsHost} IS NULL AND w.execution_id = s.execution_id)`,
  outputs_folder: null,
};

const sliceAttempts = `attempt + ${sliceLostStarts('s')}`;

const orders: Readonly<Record<Exclude<SliceOrder, 'recorded'>, string>> = {
  seconds: sliceSeconds,
  retries: sliceAttempts,
};

/** Throws `ARGUMENT_INVALID` if there are too many slices to sort. */
export function listTfSlices(sql: Prepare, filter: TfSliceFilter, page: Page) {
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
    select: columnsOf('list_tf_slices', 'seq', otherColumns),
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
    // Slices with status `queued` and slices with status `unanswered` share one stored count.
    total:
      status === 'queued' || status === 'unanswered'
        ? undefined
        : keptCount(sql, `slices_${status ?? 'created'}`, filter, others),
    page,
  };
}

/** The condition for a state. The filter's other fields decide which index serves the condition. */
function ofState({ status, execution_id, run_number }: TfSliceFilter): Record<string, Condition> {
  if (status === undefined) return {};
  if (status === 'completed') return { completed: ['status = ?', status] };
  const isUnfinished = `status = '${status}' AND ${indexPredicates.openSlice} AND status = ?`;
  if (execution_id !== undefined || run_number !== undefined) return { unfinished: [isUnfinished, status] };
  if (status === 'failed') return { failed: [isUnfinished, status] };
  return { pending: [`${indexPredicates.pendingSlice} AND status = ?`, status] };
}
