import type { Some } from '../../../monitoring/evidence.ts';
import type { HeardFacts } from '../../../monitoring/heard-facts.ts';
import { areAll } from '../../../observed/dialects.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import { indexPredicates } from '../../migrations/index-predicates.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** Maximum number of slices and files to name. */
export const named = 5;

/** As SQL: the TF files that slices name. */
export const slicedSamples = 'FROM observed_samples WHERE execution_id = $id';

/** Number of rows. @param from the rest of a SELECT: FROM and what follows */
export const count = (sql: Prepare, from: string, values: object) =>
  sql<number>(`SELECT count(*) ${from}`).value(values) ?? 0;

/** Number of rows, and the names of the first ones. @param from the rest of a SELECT: FROM and what follows */
export function someOf(
  sql: Prepare,
  column: string,
  from: string,
  values: object,
  { most, order } = { most: named, order: 'seq' },
): Some {
  const n = count(sql, from, values);
  const rows = sql<string>(`SELECT ${column} ${from} ORDER BY ${order} LIMIT ${most}`);
  return { count: n, ids: n === 0 ? [] : rows.values(values) };
}

/**
 * TF files that were announced before a time (ISO 8601) but not sliced. Skips senders without any sliced
 * file: their files are of a kind that is not sliced.
 */
export function unslicedSamples(
  sql: Prepare,
  { execution_id: id, slices_created }: ExecutionRow,
  { dialects, tf_files_sliced }: Pick<HeardFacts, 'dialects' | 'tf_files_sliced'>,
  before: string,
): Some {
  const values = { id, before };
  const early = `${announced} AND created_at < $before`;
  if (slices_created === 0) return someOf(sql, 'tf_filename', early, values);
  const isRenamed = areAll(dialects, 'renamesTfFiles');
  // If the number of sliced files is at least the number of announced files, no row needs to be read.
  if (isRenamed && count(sql, announced, values) <= tf_files_sliced) return { count: 0, ids: [] };
  if (!sql(`SELECT 1 ${announced} AND slice_count > 0 LIMIT 1`).has(values))
    return { count: isRenamed ? Math.max(0, count(sql, early, values) - tf_files_sliced) : 0, ids: [] };
  const sender = `(SELECT sender_no FROM message_subjects AS o JOIN message_rows AS m USING (seq)
    WHERE o.execution_id = f.execution_id AND o.subject = 'tf_file_registered' AND o.key = f.tf_filename AND o.stands_seq IS NULL)`;
  const from = `${early} AND slice_count = 0
    AND ${sender} IN (SELECT sender_no FROM fastmon_files AS other JOIN message_subjects AS o
      ON o.execution_id = other.execution_id AND o.subject = 'tf_file_registered' AND o.key = other.tf_filename AND o.stands_seq IS NULL
      JOIN message_rows AS m ON m.seq = o.seq WHERE other.execution_id = $id AND other.slice_count > 0)`;
  return someOf(sql, 'tf_filename', from, values);
}

const announced = 'FROM fastmon_files AS f WHERE execution_id = $id';

/** As SQL: the files and slices of an execution, and the slices without a result. */
export const stfFiles = 'FROM stf_files WHERE execution_id = $id';
export const slices = 'FROM tf_slices WHERE execution_id = $id';
export const unanswered = `FROM tf_slices INDEXED BY tf_slices_open WHERE execution_id = $id AND status = 'unanswered' AND ${indexPredicates.openSlice}`;

/** As SQL: STF files that are announced but not ready. */
export const unready = `${stfFiles} AND ${indexPredicates.registeredStf}`;

/** Number of TF files, all from one STF, that determine the usual slice size. */
const measured = 7;

/**
 * Number of TF files that slices name, and the smallest and largest slice size, counting only the largest slice
 * of each file.
 */
export const sampleSizes = (sql: Prepare, executionId: string) =>
  sql<{ files: number; least: number | null; most: number | null }>(
    'SELECT count(*) AS files, min(largest) AS least, max(largest) AS most FROM observed_samples WHERE execution_id = ?',
  ).get(executionId) ?? { files: 0, least: null, most: null };

/** TF files, after the first few, whose largest slice is smaller than half the usual size. */
export function shrunkenSamples(
  sql: Prepare,
  executionId: string,
  { least, most }: ReturnType<typeof sampleSizes>,
): HeardFacts['shrunken'] {
  // Usually, all sizes are similar: then none has shrunk.
  if (least === null || most === null || least >= most / 2) return undefined;
  const first = sql<{ largest: number; first_at: string; tf_filename: string }>(
    `SELECT largest, first_at, tf_filename FROM observed_samples WHERE execution_id = ? AND largest IS NOT NULL ORDER BY first_at, tf_filename LIMIT ${measured}`,
  ).all(executionId);
  const last = first.at(-1);
  if (first.length < measured || last === undefined) return undefined;
  const usual = first.map(({ largest }) => largest).toSorted((a, b) => a - b)[(measured - 1) / 2] ?? 0;
  const small = `FROM observed_samples WHERE execution_id = $id AND largest < $half AND (first_at, tf_filename) > ($first_at, $tf_filename)`;
  const found = sql<{ count: number; first: string; largest: number }>(
    `SELECT count(*) AS count, (SELECT tf_filename ${small} ORDER BY first_at, tf_filename LIMIT 1) AS first, max(largest) AS largest
     ${small} HAVING count(*) > 0`,
  ).get({ ...last, id: executionId, half: usual / 2 });
  return found && { ...found, usual };
}

/** Slices that were registered before the given time but never sent. @param before milliseconds since 1970 */
export function unsentSlices(sql: Prepare, executionId: string, before: number): Some {
  const from = `FROM message_subjects AS t CROSS JOIN message_rows AS m USING (seq)
    WHERE t.execution_id = $id AND t.subject = 'told_slice' AND t.stands_seq IS NULL AND m.sent_ms < $before
      AND NOT EXISTS (SELECT 1 FROM tf_slices AS s WHERE s.slice_filename = t.key AND s.execution_id = t.execution_id)`;
  return someOf(sql, 't.key', from, { id: executionId, before });
}
