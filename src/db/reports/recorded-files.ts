import { type FileKind, fileKinds } from '../../domain/file-names.ts';
import { outputsHost } from '../lists/tf-slices.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The record of a file, and its position among the files of its kind. */
interface Recorded {
  name: string;
  key: number;
  size_bytes: number | null;
  /**
   * Where the file's writer keeps the file: the file's address or, for an output of a slice whose file was
   * fetched, the worker's host.
   */
  place: string | null;
}

/** A recorded file of an execution, with what is known about its content. */
export type RecordedFile =
  | (Recorded & { kind: 'stf'; checksum: string })
  | (Recorded & { kind: 'tf'; tf_first: number; tf_last: number })
  | (Recorded & { kind: 'output'; slice_filename: string; attempt: number; checksum: string });

interface FilesOf {
  execution_id: string;
  /** Selects only this STF file, its samples, and the payload outputs of its slices. */
  stf_filename?: string | undefined;
}

/**
 * As SQL: the files of each kind with keys greater than $after. All outputs of a slice have the slice's key.
 */
const questions: Record<FileKind, string> = {
  stf: `SELECT 'stf' AS kind, seq AS key, stf_filename AS name, checksum, size_bytes, file_url AS place FROM stf_files
    WHERE execution_id = $execution_id AND checksum IS NOT NULL AND seq > $after AND coalesce(stf_filename = $stf_filename, 1) ORDER BY seq`,
  tf: `SELECT 'tf' AS kind, seq AS key, tf_filename AS name, tf_first, tf_last, size_bytes,
      coalesce((SELECT m.file_url FROM moved_files AS m WHERE m.tf_filename = f.tf_filename), file_url) AS place FROM fastmon_files AS f
    WHERE execution_id = $execution_id AND file_url IS NOT NULL AND seq > $after AND coalesce(stf_filename = $stf_filename, 1) ORDER BY seq`,
  output: `SELECT 'output' AS kind, s.seq AS key, slice_filename, attempt, value ->> '$.name' AS name, value ->> '$.checksum' AS checksum,
      value ->> '$.size_bytes' AS size_bytes,
      ${outputsHost} AS place
    FROM tf_slices AS s JOIN payload_results USING (slice_filename, execution_id, attempt), json_each(CASE WHEN json_valid(outputs) THEN outputs END)
    WHERE s.execution_id = $execution_id AND outputs IS NOT NULL AND s.seq > $after AND coalesce(stf_filename = $stf_filename, 1) ORDER BY s.seq`,
};

/**
 * Files of one kind in an execution, with keys greater than `after`, that are known to have been written
 * completely.
 */
export const recordedFilesOf = (
  sql: Prepare,
  { execution_id, stf_filename }: FilesOf,
  { kind, after, limit }: { kind: FileKind; after: number; limit: number },
) =>
  sql<RecordedFile>(`${questions[kind]} LIMIT ($limit + 0)`).all({
    execution_id,
    stf_filename: stf_filename ?? null,
    after,
    limit,
  });

export function* recordedFiles(sql: Prepare, execution_id: string): Generator<RecordedFile> {
  for (const kind of fileKinds) yield* recordedFilesOf(sql, { execution_id }, { kind, after: 0, limit: -1 });
}
