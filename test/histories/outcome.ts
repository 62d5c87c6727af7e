import { openReader } from '../../src/db/opening/open-reader.ts';
import { createQueries } from '../../src/db/queries.ts';

const counts = [
  'status',
  'phase',
  'stf_count',
  'tf_files_received',
  'slices_created',
  'slices_queued',
  'slices_processing',
  'slices_completed',
  'slices_failed',
] as const;

/** The moment at which a history is judged: findings must not depend on the day of the test. */
const judgedAt = Date.parse('2026-12-01T00:00:00Z');

/** The outcome of reading a log, which must never change: counts, states, files, attempts, audit and findings of its executions. */
export function outcomeOf(path: string): unknown {
  const db = openReader(path);
  try {
    const queries = createQueries(db, () => false);
    const { rows } = queries.executions({}, { order: 'oldest', limit: 100 });
    return {
      executions: rows.map((execution) => ({
        execution_id: execution.execution_id,
        ...Object.fromEntries(counts.map((name) => [name, execution[name]])),
        audit: queries.audit(execution),
        findings: queries
          .assessWithFindings(execution, judgedAt, undefined)
          .findings.map(({ code, severity, ids }) => ({ code, severity, ids })),
      })),
      effects: lines(db, 'SELECT message_id, effect FROM workflow_messages ORDER BY seq'),
      stf_files: lines(
        db,
        'SELECT stf_filename, status, size_bytes, checksum, tf_file_count, slice_count FROM stf_files ORDER BY seq',
      ),
      tf_files: lines(db, 'SELECT tf_filename, tf_first, tf_last, slice_count FROM fastmon_files ORDER BY seq'),
      slices: lines(db, 'SELECT slice_filename, tf_first, tf_last, status, attempt FROM tf_slices ORDER BY seq'),
      attempts: lines(
        db,
        'SELECT slice_filename, attempt, state, starts, worker_id, error FROM slice_attempts ORDER BY slice_filename, attempt',
      ),
      delays: lines(
        db,
        'SELECT run_number, stage, sum(items), round(sum(total), 3), max(longest) FROM stage_delays JOIN workflow_executions USING (execution_id) GROUP BY 1, 2',
      ),
    };
  } finally {
    db.close();
  }
}

const lines = (db: ReturnType<typeof openReader>, sql: string): string[] =>
  (db.prepare(sql).raw().all() as (string | number | null)[][]).map((row) =>
    row.map((value) => value ?? '-').join(' '),
  );
