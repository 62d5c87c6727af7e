import { isElsewhere } from '../../domain/file-address.ts';
import { goneSeconds } from '../../domain/liveness.ts';
import { placeOfFile, type SliceNeeds } from '../../domain/slice-returns.ts';
import { utcNow } from '../../lib/time.ts';
import type { Message } from '../../messages/message.ts';
import { numberOf, shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Where other hosts publish TF files. For slices without a result, the newest reported place counts. */

/** The last reported place of a TF file; undefined if unknown, or if no file was written. */
export const newestPlace = (sql: Prepare, tfFilename: string) =>
  sql<string | null>(
    'SELECT coalesce(m.file_url, f.file_url) FROM fastmon_files AS f LEFT JOIN moved_files AS m USING (tf_filename) WHERE tf_filename = ? AND f.file_url IS NOT NULL',
  ).value(tfFilename) ?? undefined;

/** The slice, with the last reported place of its file. */
export function withNewestPlace<T extends SliceNeeds>(sql: Prepare, slice: T) {
  const file_url = newestPlace(sql, slice.tf_filename) ?? slice.file_url;
  return file_url === slice.file_url ? slice : { ...slice, file_url };
}

/**
 * Records the place of a TF file that is registered again as the same file. Returns whether the file has
 * moved. A host's local path does not replace an address.
 */
export function noteNewPlace({ sql }: Transaction, message: Message<'tf_file_registered'>) {
  const { execution_id = '', tf_filename, file_url } = message;
  const known = newestPlace(sql, tf_filename);
  if (file_url === undefined || known === undefined || known === file_url || !isElsewhere(file_url)) return false;
  sql(
    `INSERT INTO moved_files (tf_filename, execution_id, file_url, moved_at)
     SELECT tf_filename, execution_id, ?, ? FROM fastmon_files WHERE tf_filename = ? AND execution_id = ?
     ON CONFLICT (tf_filename) DO UPDATE SET file_url = excluded.file_url, moved_at = excluded.moved_at`,
  ).run(file_url, utcNow(), tf_filename, execution_id);
  return true;
}

interface LostFile {
  tf_filename: string;
  stf_filename: string;
  file_url: string;
  /**
   * The host that created the file, and when that host went silent, ISO 8601; undefined while the host is not
   * silent.
   */
  hostname: string;
  since: string | undefined;
}

const maxFiles = 1000;

/**
 * Why slices that are still waiting were returned, and the files of these slices. A return counts only if it is
 * later than the last report of where the file is.
 */
const returnsOf = (sql: Prepare, executionId: string) =>
  sql<{ tf_filename: string; reason: string; kind: string }>(
    `SELECT DISTINCT s.tf_filename, r.reason, r.kind FROM returned_slices AS r JOIN tf_slices AS s USING (execution_id, slice_filename, attempt)
       LEFT JOIN moved_files AS m ON m.tf_filename = s.tf_filename
     WHERE r.execution_id = ? AND r.reason IN ('NO_FILE', 'WRONG_FILE') AND s.status = 'queued' AND (moved_at IS NULL OR returned_at > moved_at)`,
  ).all(executionId);

type MadeFile = Omit<LostFile, 'since'> & { last_sign: string; moved: number };

/**
 * The TF files that have open slices and that no worker could get: files that are missing from their place or
 * differ from what was announced, and files in places that no worker can reach and whose hosts are silent.
 * @param now milliseconds since 1970
 */
export function lostFiles(sql: Prepare, executionId: string, now = Date.now()): LostFile[] {
  const returned = returnsOf(sql, executionId);
  if (returned.length === 0) return [];
  const wrong = new Set(returned.filter(({ reason }) => reason === 'WRONG_FILE').map(({ tf_filename }) => tf_filename));
  // Workers avoid a place as a whole, so a file there can be lost even if its slices were never returned. A
  // moved file is no longer at that place, so only returns of its own slices count.
  const away = new Set(returned.filter(({ reason }) => reason === 'NO_FILE').map(({ kind }) => kind));
  const given = new Set(returned.map(({ tf_filename }) => tf_filename));
  const before = new Date(now - goneSeconds * 1000).toISOString();
  return sql<MadeFile>(
    `SELECT f.tf_filename, f.stf_filename, coalesce(moved.file_url, f.file_url) AS file_url, moved.file_url IS NOT NULL AS moved, p.hostname,
       (SELECT max(last_heartbeat) FROM system_agents JOIN processes AS other USING (process_id) WHERE other.hostname = p.hostname) AS last_sign
     FROM fastmon_files AS f LEFT JOIN moved_files AS moved USING (tf_filename)
       JOIN message_rows AS m ON m.short_id = ${shortId(`f.execution_id || '/tf_file_registered/' || f.tf_filename`)}
       JOIN names ON name_no = sender_no JOIN system_agents AS a ON agent_name = name AND heard_on IS NULL JOIN processes AS p USING (process_id)
     WHERE f.execution_id = ? AND execution_no = ${numberOf('?')} AND f.file_url NOT LIKE 'file:%'
       AND EXISTS (SELECT 1 FROM tf_slices AS s WHERE s.tf_filename = f.tf_filename AND s.execution_id = f.execution_id AND s.status IN ('queued', 'processing'))
     ORDER BY f.seq LIMIT ${maxFiles}`,
  )
    .all(executionId, executionId)
    .flatMap(({ moved, last_sign, ...file }) => {
      const since = last_sign < before ? last_sign : undefined;
      const isAway = moved === 1 ? given.has(file.tf_filename) : away.has(placeOfFile(file.file_url));
      return wrong.has(file.tf_filename) || (isAway && since !== undefined) ? [{ ...file, since }] : [];
    });
}
