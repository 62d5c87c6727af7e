import type { Prepare } from '../../sqlite/statements.ts';

/** A file of an observed execution. */
interface Product {
  kind: 'stf' | 'tf' | 'slice';
  name: string;
  execution_id: string;
  stf_filename: string | null;
  tf_filename: string | null;
}

/** The `seq` of the messages that tell the way of a file; undefined if its execution is not observed. */
export function seqsOfObserved(
  sql: Prepare,
  { kind, name, execution_id, stf_filename, tf_filename }: Product,
): number[] | undefined {
  if (sql<[string]>('SELECT 1 FROM observed_runs WHERE execution_id = ?').get(execution_id) === undefined)
    return undefined;
  const messages = sql<[string, string, string], { seq: number }>(
    'SELECT seq FROM observed_files WHERE execution_id = ? AND kind = ? AND name = ?',
  );
  const files = [
    ...(stf_filename === null ? [] : (['stf_gen', 'stf_ready'] as const).map((type) => [type, stf_filename] as const)),
    ...(tf_filename === null ? [] : [['tf_file_registered', tf_filename] as const]),
  ];
  const ofFiles = files.flatMap(([type, file]) => messages.column(execution_id, type, file));
  const attempts =
    kind === 'slice'
      ? sql<[string, string], { slice_seq: number; result_seq: number | null }>(
          'SELECT slice_seq, result_seq FROM observed_attempts WHERE slice_filename = ? AND execution_id = ? ORDER BY attempt_key',
        ).all(name, execution_id)
      : [];
  return [...ofFiles, ...attempts.flatMap(({ slice_seq, result_seq }) => [slice_seq, result_seq ?? []].flat())];
}
