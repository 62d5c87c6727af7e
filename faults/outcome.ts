import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { openReader } from '../src/db/opening/open-reader.ts';
import { storeIn } from './cli.ts';

/** The facts that a fault must not change, as sets of lines by kind. */
export type Outcome = Record<string, string[]>;

/** The whole outcome of a run, except workers, times, `slice_started` and commands. */
export function outcomeIn(folder: string): Outcome {
  const db = openReader(storeIn(folder));
  const lines = (sql: string): string[] =>
    (db.prepare(sql).raw().all() as unknown[][]).map((row) => row.join(' ')).toSorted();
  const outcome = {
    executions: lines('SELECT execution_id, run_number, status, status_reason FROM workflow_executions'),
    runs: lines(
      `SELECT run_number, total_stf_files, dataset_state, dataset_files, dataset_bytes, phase, stfs_announced, stfs_ready,
         samples_expected, tf_files_received, slices_expected, slices_created, slices_queued, slices_processing,
         slices_completed, slices_failed, slices_exhausted, slice_retries FROM runs JOIN run_states USING (execution_id) JOIN workflow_executions USING (execution_id)`,
    ),
    'STF files': lines('SELECT stf_filename, status, checksum, size_bytes, tf_file_count, slice_count FROM stf_files'),
    samples: lines('SELECT tf_filename, tf_first, tf_last, size_bytes, slice_count FROM fastmon_files'),
    slices: lines('SELECT slice_filename, tf_first, tf_last, status, attempt FROM tf_slices'),
    attempts: lines('SELECT slice_filename, attempt, state FROM slice_attempts'),
    messages: lines(
      `SELECT CASE WHEN message_type = 'slice_result' THEN substr(message_id, 1, instr(message_id, '/worker-agent') - 1) ELSE message_id END
       FROM workflow_messages WHERE effect = 'applied'
         AND message_type NOT IN ('run_workflow', 'slice_started', 'stop_workflow', 'pause_workflow', 'resume_workflow',
           'driver_started', 'driver_ended', 'driver_lost')`,
    ),
    files: filesIn(`${storeIn(folder)}.data`),
  };
  db.close();
  return outcome;
}

/** Data files by name and content. The files that payloads wrote are compared by their records. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/outputs'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${entry.name} ${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}`;
    })
    .toSorted();
}

/** The lines that one outcome has and the other does not. */
export function differences(expected: Outcome, found: Outcome): { lost: string[]; added: string[] } {
  const without = (some: Outcome, others: Outcome): string[] =>
    Object.entries(some).flatMap(([kind, lines]) => {
      const known = new Set(others[kind]);
      return lines.filter((line) => !known.has(line)).map((line) => `${kind}: ${line}`);
    });
  return { lost: without(expected, found), added: without(found, expected) };
}

/** Attempts at slices that have more than one result, which means that work was done twice. */
export function doneTwice(folder: string): string[] {
  const db = openReader(storeIn(folder));
  const rows = db
    .prepare<[], { id: string }>(
      `SELECT substr(message_id, 1, instr(message_id, '/worker-agent') - 1) AS id FROM workflow_messages
       WHERE message_type = 'slice_result' GROUP BY id HAVING count(*) > 1`,
    )
    .all();
  db.close();
  return rows.map(({ id }) => id);
}
