import { SwfError } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { headColumns, type MessageHead } from '../lists/messages.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A file of the workflow: what it is, and whose. */
export interface Product {
  kind: 'stf' | 'tf' | 'slice';
  name: string;
  execution_id: string;
  run_number: number;
  status: string;
  stf_filename: string;
  tf_filename: string | null;
  attempt: number | null;
}

/** Throws `ARGUMENT_INVALID` for a name that the store does not know, with the form that names have. */
export function findProduct(sql: Prepare, name: string): Product {
  const found = sql<[string, string, string], Product>(
    `SELECT 'stf' AS kind, stf_filename AS name, execution_id, run_number, status, stf_filename, NULL AS tf_filename, NULL AS attempt
     FROM stf_files WHERE stf_filename = ?
     UNION ALL SELECT 'tf', tf_filename, execution_id, run_number, 'registered', stf_filename, tf_filename, NULL FROM fastmon_files WHERE tf_filename = ?
     UNION ALL SELECT 'slice', slice_filename, execution_id, run_number, status, stf_filename, tf_filename, attempt FROM tf_slices WHERE slice_filename = ?`,
  ).get(name, name, name);
  if (found !== undefined) return found;
  const recent = sql<[], { name: string }>(
    'SELECT stf_filename AS name FROM stf_files ORDER BY seq DESC LIMIT 200',
  ).all();
  const near = nearest(
    name,
    recent.map((row) => row.name),
    1,
  )[0];
  throw new SwfError(
    'ARGUMENT_INVALID',
    `there is no STF file, TF sample or TF slice ${JSON.stringify(name.slice(0, 100))}; names are such as swf.101993.000001.stf, swf.101993.000001_tf_001.tf and swf.101993.000001_slice_000.tf${near === undefined ? '' : `, and the nearest STF file is ${near}`}`,
  );
}

/** Messages that tell a product's way, found by their ids: what it comes from, itself, and what was made of it. */
export function messagesOf(
  sql: Prepare,
  { kind, name, execution_id, stf_filename, tf_filename }: Product,
  limit: number,
): MessageHead[] {
  const exact = [
    `${execution_id}/stf_gen/${stf_filename}`,
    `${execution_id}/stf_ready/${stf_filename}`,
    ...(tf_filename === null ? [] : [`${execution_id}/tf_file_registered/${tf_filename}`]),
  ];
  const ranges =
    kind === 'slice'
      ? ['slice', 'slice_started', 'slice_result'].map((type) => `${execution_id}/${type}/${name}/`)
      : [];
  // Of an STF its samples.
  if (kind === 'stf') ranges.push(`${execution_id}/tf_file_registered/${stf_filename.replace(/\.stf$/, '_tf_')}`);
  const rows = [
    ...exact.map((id) =>
      sql<[string], MessageHead>(`SELECT ${headColumns} FROM workflow_messages WHERE message_id = ?`).all(id),
    ),
    ...ranges.map((prefix) =>
      sql<[string, string, number], MessageHead>(
        `SELECT ${headColumns} FROM workflow_messages WHERE message_id >= ? AND message_id < ? ORDER BY message_id LIMIT ?`,
      ).all(prefix, `${prefix}\u{10FFFF}`, limit),
    ),
  ].flat();
  return rows.toSorted((a, b) => a.key - b.key).slice(0, limit);
}

/** The slices made of an STF or of a sample, by state, with the slowest and those that stay failed. */
export function slicesOf(
  sql: Prepare,
  { kind, name }: Product,
): { status: string; n: number; last_at: string | null }[] {
  const column = kind === 'stf' ? 'stf_filename' : 'tf_filename';
  return sql<[string], { status: string; n: number; last_at: string | null }>(
    `SELECT status, count(*) AS n, max(completed_at) AS last_at FROM tf_slices WHERE ${column} = ? GROUP BY status`,
  ).all(name);
}
