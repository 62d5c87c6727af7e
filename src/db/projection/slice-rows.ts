import type { SliceStatus } from '../../domain/slice-states.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Scope } from './effect.ts';

export interface SliceRow {
  status: SliceStatus;
  attempt: number;
}

export function sliceRow({ sql }: Transaction, { execution_id }: Scope, filename: string): SliceRow | undefined {
  return sql<[string, string], SliceRow>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ? AND execution_id = ?',
  ).get(filename, execution_id);
}

export interface AttemptRow {
  queued_at: string;
  started_at: string | null;
  starts: number;
}

/** Read before it is changed: RETURNING would make SQLite keep a copy of every page that the change touches. */
export function attemptRow({ sql }: Transaction, filename: string, attempt: number): AttemptRow | undefined {
  return sql<[string, number], AttemptRow>(
    'SELECT queued_at, started_at, starts FROM slice_attempts WHERE slice_filename = ? AND attempt = ?',
  ).get(filename, attempt);
}

/** Keeps the counts of a run when a slice is made (`from` undefined) or moves from one status to another. */
export function countMove(
  { sql }: Transaction,
  { run_number }: Scope,
  from: SliceStatus | undefined,
  to: SliceStatus,
): void {
  const leaving = from === undefined ? 'slices_created = slices_created + 1' : `slices_${from} = slices_${from} - 1`;
  sql(`UPDATE run_states SET ${leaving}, slices_${to} = slices_${to} + 1 WHERE run_number = ?`).run(run_number);
}
