import type { Some } from '../../../monitoring/evidence.ts';
import type { HeardFacts } from '../../../monitoring/heard-facts.ts';
import { areAll } from '../../../observed/dialects.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** How many slices and files to name. */
export const named = 5;

/** As SQL: the TF files that slices name. */
export const slicedSamples = 'FROM observed_samples WHERE execution_id = ?';

export const count = (sql: Prepare, from: string, ...values: string[]): number =>
  sql<string[], number>(`SELECT count(*) ${from}`).value(...values) ?? 0;

/**
 * TF files announced before a time (ISO 8601) and not sliced. Skips senders without any sliced file: their
 * files are another family, which is not sliced.
 */
export function unslicedSamples(
  sql: Prepare,
  { execution_id, slices_created }: ExecutionRow,
  dialects: string,
  before: string,
): Some {
  if (slices_created === 0)
    return someOf(sql, 'tf_filename', 'FROM fastmon_files WHERE execution_id = $id AND created_at < $before', {
      id: execution_id,
      before,
    });
  const sender = `(SELECT sender_no FROM message_subjects AS o JOIN message_rows AS m USING (seq)
    WHERE o.execution_id = f.execution_id AND o.subject = 'tf_file_registered' AND o.key = f.tf_filename AND o.stands_seq IS NULL)`;
  const sliced = sql<[string]>('SELECT 1 FROM fastmon_files WHERE execution_id = ? AND slice_count > 0 LIMIT 1');
  if (!sliced.has(execution_id))
    return { count: areAll(dialects, 'renamesTfFiles') ? unslicedByNumber(sql, execution_id, before) : 0, ids: [] };
  const from = `FROM fastmon_files AS f WHERE execution_id = $id AND slice_count = 0 AND created_at < $before
    AND ${sender} IN (SELECT sender_no FROM fastmon_files AS other JOIN message_subjects AS o
      ON o.execution_id = other.execution_id AND o.subject = 'tf_file_registered' AND o.key = other.tf_filename AND o.stands_seq IS NULL
      JOIN message_rows AS m ON m.seq = o.seq WHERE other.execution_id = $id AND other.slice_count > 0)`;
  return someOf(sql, 'tf_filename', from, { id: execution_id, before });
}

/** How many more TF files were announced before a time than are sliced. */
function unslicedByNumber(sql: Prepare, id: string, before: string): number {
  const announced = count(sql, 'FROM fastmon_files WHERE execution_id = ? AND created_at < ?', id, before);
  return Math.max(0, announced - count(sql, slicedSamples, id));
}

/** The number of rows, and the names of the first. @param from the rest of a SELECT, from FROM on */
export function someOf(sql: Prepare, column: string, from: string, values: object): Some {
  const n = sql<[object], number>(`SELECT count(*) ${from}`).value(values) ?? 0;
  const rows = sql<[object], string>(`SELECT ${column} ${from} ORDER BY seq LIMIT ${named}`);
  return { count: n, ids: n === 0 ? [] : rows.values(values) };
}

/** How many TF files give the usual slice size, all of one STF. */
const measured = 7;

/** How many TF files slices name, and the sizes of their largest slices: the least and the most. */
export const sampleSizes = (sql: Prepare, executionId: string) =>
  sql<[string], { files: number; least: number | null; most: number | null }>(
    'SELECT count(*) AS files, min(largest) AS least, max(largest) AS most FROM observed_samples WHERE execution_id = ?',
  ).get(executionId) ?? { files: 0, least: null, most: null };

/** Later TF files whose largest slice is smaller than half the usual one. */
export function shrunkenSamples(
  sql: Prepare,
  executionId: string,
  { least, most }: ReturnType<typeof sampleSizes>,
): HeardFacts['shrunken'] {
  // Mostly all are alike, and then their order does not matter.
  if (least === null || most === null || least >= most / 2) return undefined;
  const first = sql<[string], { largest: number; first_at: string; tf_filename: string }>(
    `SELECT largest, first_at, tf_filename FROM observed_samples WHERE execution_id = ? AND largest IS NOT NULL ORDER BY first_at, tf_filename LIMIT ${measured}`,
  ).all(executionId);
  const last = first.at(-1);
  if (first.length < measured || last === undefined) return undefined;
  const usual = first.map(({ largest }) => largest).toSorted((a, b) => a - b)[(measured - 1) / 2] ?? 0;
  const small = `FROM observed_samples WHERE execution_id = ? AND largest < ? AND (first_at, tf_filename) > (?, ?)`;
  const values: [string, number, string, string] = [executionId, usual / 2, last.first_at, last.tf_filename];
  const found = sql<typeof values, { count: number; largest: number | null }>(
    `SELECT count(*) AS count, max(largest) AS largest ${small}`,
  ).get(...values);
  if (found === undefined || found.count === 0) return undefined;
  const one = sql<typeof values, string>(`SELECT tf_filename ${small} ORDER BY first_at, tf_filename LIMIT 1`);
  return { count: found.count, first: one.value(...values) ?? '', largest: found.largest ?? 0, usual };
}
