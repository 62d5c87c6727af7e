import type { Prepare } from '../sqlite/statements.ts';
import { keptCount, type OfExecution, ofExecution } from './by-execution.ts';
import { listRows } from './list-rows.ts';
import type { ListPage, Page, Texts, Window } from './page.ts';

export interface TfFileRow {
  key: number;
  tf_filename: string;
  stf_filename: string | null;
  run_number: number | null;
  execution_id: string;
  tf_first: number | null;
  tf_last: number | null;
  tf_count: number | null;
  size_bytes: number | null;
  slice_count: number;
  created_at: string;
}

export type TfFileFilter = Window & OfExecution & Texts<'stf_filename' | 'tf_filename'>;

export const listTfFiles = (sql: Prepare, filter: TfFileFilter, page: Page): ListPage<TfFileRow> =>
  listRows<TfFileRow>(sql, {
    select: `seq AS key, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, size_bytes,
      slice_count, created_at`,
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
