import { type SliceNeeds, placeOfFile } from '../../domain/slice-returns.ts';
import type { Message } from '../../messages/message.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Where TF files are that other hosts publish. The newest word counts for slices without a result (contract §9). */

/** Where a TF file was last said to be; undefined where it is not known, or nothing was written. */
export const newestPlace = (sql: Prepare, tfFilename: string): string | undefined =>
  sql<[string], { file_url: string | null }>('SELECT file_url FROM fastmon_files WHERE tf_filename = ?').get(tfFilename)
    ?.file_url ?? undefined;

/** A slice with its file where that was last said to be. */
export function withNewestPlace<T extends SliceNeeds>(sql: Prepare, slice: T): T {
  const file_url = newestPlace(sql, slice.tf_filename) ?? slice.file_url;
  return file_url === slice.file_url || file_url === undefined ? slice : { ...slice, file_url };
}

/** Notes where a TF file is that was registered before. The log keeps what was said first. Returns whether it is somewhere else now. */
export function noteNewPlace({ sql }: Transaction, message: Message<'tf_file_registered'>): boolean {
  const { execution_id = '', tf_filename, file_url } = message;
  if (file_url === undefined) return false;
  const { changes } = sql(
    'UPDATE fastmon_files SET file_url = ? WHERE tf_filename = ? AND execution_id = ? AND file_url <> ?',
  ).run(file_url, tf_filename, execution_id, file_url);
  return changes > 0;
}

/** A TF file that workers could not have, whose host is silent. */
export interface GoneFile {
  tf_filename: string;
  stf_filename: string;
  file_url: string;
  /** The host that made it, and since when its agent is silent, ISO 8601. */
  hostname: string;
  since: string;
}

/** An agent that is silent for so long is gone, in seconds. */
const goneSeconds = 60;

/** Rows that are looked at. */
const mostFiles = 1000;

/** The TF files with slices to do that no worker could have, of fastmon agents that are gone. */
export function goneFiles(sql: Prepare, executionId: string): GoneFile[] {
  const places = sql<[string], { kind: string }>(
    `SELECT DISTINCT r.kind FROM returned_slices AS r JOIN tf_slices AS s USING (slice_filename, attempt)
     WHERE r.execution_id = ? AND r.reason = 'NO_FILE' AND s.status = 'queued'`,
  ).all(executionId);
  if (places.length === 0) return [];
  const known = new Set(places.map(({ kind }) => kind));
  return sql<[string, string, string], GoneFile>(
    `SELECT tf_filename, f.stf_filename, f.file_url, hostname, last_heartbeat AS since
     FROM fastmon_files AS f
       JOIN message_rows AS m ON m.message_id = f.execution_id || '/tf_file_registered/' || tf_filename
       JOIN names ON name_no = sender_no JOIN system_agents ON agent_name = name JOIN processes USING (process_id)
     WHERE f.execution_id = ? AND execution_no = ${numberOf('?')} AND f.file_url NOT LIKE 'file:%' AND last_heartbeat < ?
       AND EXISTS (SELECT 1 FROM tf_slices AS s WHERE s.tf_filename = f.tf_filename AND s.status IN ('queued', 'processing'))
     ORDER BY f.seq LIMIT ${mostFiles}`,
  )
    .all(executionId, executionId, new Date(Date.now() - goneSeconds * 1000).toISOString())
    .filter(({ file_url }) => known.has(placeOfFile(file_url)));
}
