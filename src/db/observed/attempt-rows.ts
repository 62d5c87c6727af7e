import type { ObservedScope } from './said.ts';

/** An attempt at a slice, by what its sender calls it. */
export interface AttemptRow {
  attempt_key: number;
  slice_filename: string;
  req_id: string | null;
  tf_slice_id: string | null;
  requested_at: string | null;
  slice_seq: number;
  result_seq: number | null;
}

export const attemptColumns = 'attempt_key, slice_filename, req_id, tf_slice_id, requested_at, slice_seq, result_seq';

/** The attempts at a slice, in no order. */
export const attemptsOf = ({ sql, execution_id }: ObservedScope, sliceFilename: string): AttemptRow[] =>
  sql<[string, string], AttemptRow>(
    `SELECT ${attemptColumns} FROM observed_attempts WHERE slice_filename = ? AND execution_id = ?`,
  ).all(sliceFilename, execution_id);
