import type { Connection } from '../../src/db/sqlite/connection.ts';

/** SQL for all that follows from heard messages, with names that do not depend on the order of their arrival. */
const questions = {
  executions: `SELECT execution_id, origin, workflow_name, namespace, run_number, start_time FROM workflow_executions`,
  runs: 'SELECT * FROM runs',
  states: 'SELECT * FROM run_states',
  stfs: `SELECT stf_filename, execution_id, sequence, status, checksum, size_bytes, tf_count, tf_file_count, slice_count, created_at, registered_at, processed_at, took_ms
    FROM stf_files`,
  samples:
    'SELECT tf_filename, stf_filename, execution_id, tf_first, tf_last, tf_count, slice_count, created_at, waited_ms FROM fastmon_files',
  slices: `SELECT slice_filename, slice_id, tf_filename, stf_filename, execution_id, tf_first, tf_last, tf_count, status, attempt, assigned_worker, created_at,
    queued_again_at, assigned_at, completed_at, error, hostname, processing_seconds, starts, waited_ms, took_ms FROM tf_slices`,
  earlier: 'SELECT * FROM earlier_attempts',
  observed: 'SELECT * FROM observed_runs',
  sizes: 'SELECT * FROM observed_samples',
  keys: 'SELECT * FROM observed_keys',
  sites: 'SELECT * FROM stf_sites',
  handed: 'SELECT * FROM handed_over',
  subjects: `SELECT p.execution_id, subject, key, m.message_id, s.message_id AS stands, contradicts
    FROM message_subjects AS p JOIN workflow_messages AS m USING (seq) LEFT JOIN workflow_messages AS s ON s.seq = stands_seq`,
  messages: `SELECT w.message_id, w.message_type, w.execution_id, w.namespace, w.run_id, w.sent_at, w.effect, w.effect_code, w.payload, m.headers
    FROM workflow_messages AS w JOIN message_rows AS m USING (seq)`,
} as const;

/** The tables of a store, each as sorted lines. */
export const tablesOf = (db: Connection): Record<keyof typeof questions, string[]> =>
  Object.fromEntries(
    Object.entries(questions).map(([name, sql]) => [
      name,
      (db.prepare(sql).raw().all() as unknown[][]).map((row) => JSON.stringify(row)).toSorted(),
    ]),
  ) as Record<keyof typeof questions, string[]>;
