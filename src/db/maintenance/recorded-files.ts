import type { Prepare } from '../sqlite/statements.ts';

/** A file that the records of an execution tell of, with what they know of its content. */
export type RecordedFile =
  | { kind: 'stf'; name: string; checksum: string }
  | { kind: 'tf'; name: string; tf_first: number; tf_last: number }
  | { kind: 'output'; name: string; slice_filename: string; attempt: number; checksum: string };

/** Every file of an execution that is known to have been written whole. */
export function* recordedFiles(sql: Prepare, executionId: string): Generator<RecordedFile> {
  const stfs = sql<[string], { name: string; checksum: string }>(
    `SELECT stf_filename AS name, checksum FROM stf_files WHERE execution_id = ? AND checksum IS NOT NULL ORDER BY seq`,
  );
  for (const row of stfs.all(executionId)) yield { kind: 'stf', ...row };
  const samples = sql<[string], { name: string; tf_first: number; tf_last: number }>(
    `SELECT tf_filename AS name, tf_first, tf_last FROM fastmon_files
     WHERE execution_id = ? AND file_url IS NOT NULL ORDER BY seq`,
  );
  for (const row of samples.all(executionId)) yield { kind: 'tf', ...row };
  const outputs = sql<[string], { slice_filename: string; attempt: number; name: string; checksum: string }>(
    `SELECT slice_filename, attempt, value ->> '$.name' AS name, value ->> '$.checksum' AS checksum
     FROM tf_slices AS s JOIN payload_results USING (slice_filename, attempt), json_each(outputs)
     WHERE s.execution_id = ? AND outputs IS NOT NULL ORDER BY s.seq`,
  );
  for (const row of outputs.all(executionId)) yield { kind: 'output', ...row };
}
