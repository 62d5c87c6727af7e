/** As SQL: the attempt columns of the current attempt of a row of `tf_slices`. */
export const currentAttempt = `slice_filename, attempt, execution_id, status AS state, coalesce(assigned_worker, left_by) AS worker_id, hostname, starts,
  coalesce(queued_again_at, created_at) AS queued_at, iif(starts > 0, coalesce(assigned_at, left_from), NULL) AS started_at, completed_at,
  processing_seconds, iif(status = 'failed', error, NULL) AS error`;
