import type { SliceStatus } from '../../domain/slice-states.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Scope } from './effect.ts';
import { sumsOf } from './sums.ts';

/** A slice with its current attempt. */
export interface SliceRow {
  seq: number;
  status: SliceStatus;
  attempt: number;
  /** How often a worker began the attempt. */
  starts: number;
  queued_at: string;
  /** The last start of the attempt. */
  started_at: string | null;
  assigned_worker: string | null;
}

/** Reads a slice before an update: RETURNING would make SQLite copy every page that the update touches. */
export const sliceRow = ({ sql }: Transaction, { execution_id }: Scope, filename: string): SliceRow | undefined =>
  sql<[string, string], SliceRow>(
    `SELECT seq, status, attempt, starts, coalesce(queued_again_at, created_at) AS queued_at, coalesce(assigned_at, left_from) AS started_at, assigned_worker
     FROM tf_slices WHERE slice_filename = ? AND execution_id = ?`,
  ).get(filename, execution_id);

/** Keeps the counts of a run when a slice is made (`from` undefined) or moves from one status to another. */
export function countMove(
  tx: Transaction,
  { execution_id }: Pick<Scope, 'execution_id'>,
  from: SliceStatus | undefined,
  to: SliceStatus,
): void {
  const sums = sumsOf(tx);
  if (from === undefined) sums.add('run_states', [execution_id], 'slices_created', 1);
  else sums.add('run_states', [execution_id], `slices_${from}`, -1);
  sums.add('run_states', [execution_id], `slices_${to}`, 1);
}
