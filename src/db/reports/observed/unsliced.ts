import type { Some } from '../../../monitoring/evidence.ts';
import { areAll } from '../../../observed/dialects.ts';
import type { ExecutionRow } from '../../execution/find-execution.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** How many slices and files to name. */
export const named = 5;

/** As SQL: the TF files that slices name. */
export const slicedSamples = 'FROM observed_samples WHERE execution_id = ?';

export const count = (sql: Prepare, from: string, ...values: string[]): number =>
  sql<string[], number>(`SELECT count(*) ${from}`).value(...values) ?? 0;

/** TF files announced before a time (ISO 8601) and not sliced. Skips senders without any sliced file: their files are another family, which nobody slices. */
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
