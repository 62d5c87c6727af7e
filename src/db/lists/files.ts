import type { TimeField } from '../../domain/summary-words.ts';
import { executionOfRun } from '../execution/find-execution.ts';
import { openRemovals } from '../log/removals.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { columnsOf, type Condition, manyRows, type Page, type RowOf, type Texts, type Window } from './list-query.ts';
import { listRows } from './list-rows.ts';

/** The execution whose rows are wanted, by its id, its run, or both. */
interface OfExecution {
  execution_id?: string | undefined;
  run_number?: number | undefined;
}

/**
 * The conditions `execution` and, if both are given, `run`. A run number is translated to its execution, so
 * that one index serves both.
 * @param table prefix of the column, if another table has a column with the same name
 */
export function ofExecution(
  sql: Prepare,
  { execution_id, run_number }: OfExecution,
  table = '',
): Record<'execution' | 'run', Condition> {
  const isBoth = execution_id !== undefined && run_number !== undefined;
  const id = execution_id ?? (run_number === undefined ? undefined : (executionOfRun(sql, run_number) ?? ''));
  return { execution: [`${table}execution_id = ?`, id], run: ['run_number = ?', isBoth ? run_number : undefined] };
}

/**
 * A count that is stored per execution: the count for one execution, or the sum over all. Undefined if rows
 * must be counted because there are other conditions, or because an execution is being removed: its count is
 * deleted before its rows.
 */
export function keptCount(
  sql: Prepare,
  column: string,
  { execution_id, run_number, start_time, end_time }: OfExecution & Window,
  others: readonly unknown[],
) {
  if ([start_time, end_time, ...others].some((value) => value !== undefined)) return undefined;
  if (execution_id !== undefined && run_number !== undefined) return undefined;
  if (execution_id === undefined && run_number === undefined) {
    if (openRemovals(sql).length > 0) return undefined;
    return sql<number>(`SELECT CAST(total(${column}) AS INTEGER) FROM run_states`).value();
  }
  const id = execution_id ?? executionOfRun(sql, run_number as number) ?? '';
  return sql<number>(`SELECT ${column} FROM run_states WHERE execution_id = ?`).value(id);
}

type StfFileRow = RowOf<'list_stf_files', { sites: string | null }>;

/** As SQL: the sites that process a file, as JSON; NULL if there are none. */
const sitesOfFile = `(SELECT nullif(json_group_array(json_object('name', nullif(site, ''), 'status', s.status, 'task_id', task_id, 'reason', reason)), '[]')
  FROM stf_sites AS s WHERE s.execution_id = stf_files.execution_id AND s.stf_filename = stf_files.stf_filename)`;

export interface StfFileFilter extends Window, OfExecution, Texts<'status' | 'stf_filename'> {
  has_slices?: boolean | undefined;
  time_field?: Exclude<TimeField, 'started'> | undefined;
}

export function listStfFiles(sql: Prepare, filter: StfFileFilter, page: Page) {
  const { status, has_slices, time_field = 'created' } = filter;
  const isOtherTime = time_field === 'completed';
  return listRows<StfFileRow>(sql, {
    select: columnsOf('list_stf_files', 'seq', { sites: sitesOfFile }),
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
      status: ['status = ?', status === 'registered' || status === 'failed' ? undefined : status],
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

type TfFileRow = RowOf<'list_tf_files'>;

export type TfFileFilter = Window & OfExecution & Texts<'stf_filename' | 'tf_filename'>;

export const listTfFiles = (sql: Prepare, filter: TfFileFilter, page: Page) =>
  listRows<TfFileRow>(sql, {
    select: columnsOf('list_tf_files', 'seq'),
    from: 'fastmon_files',
    key: 'seq',
    time: 'created_at',
    blocksOf: 'fastmon_files',
    conditions: {
      ...ofExecution(sql, filter),
      tf: ['tf_filename = ?', filter.tf_filename],
      stf: ['stf_filename = ?', filter.stf_filename],
    },
    indexes: [
      ['sqlite_autoindex_fastmon_files_1', ['tf']],
      ['fastmon_files_stf', ['stf']],
      ['fastmon_files_execution', ['execution']],
    ],
    window: filter,
    total: keptCount(sql, 'tf_files_received', filter, [filter.tf_filename, filter.stf_filename]),
    page,
  });
