import { sumsOf } from '../projection/sums.ts';
import { type FactOf, type ObservedScope, type SaidFact, timeOf } from './said.ts';
import { standing, standingFor } from './standing.ts';

type StfFact = FactOf<'stf_gen' | 'stf_ready' | 'told_stf' | 'told_stf_ready'>;
type TfFact = FactOf<'tf_file_registered' | 'told_tf'>;

interface StfRow {
  status: string;
  size_bytes: number | null;
}

/** Applies a message about an STF file: one announces it, another says it is ready, REST registers it, in any order. */
export function stfSaid(scope: ObservedScope, said: SaidFact<StfFact>): void {
  const { sql, execution_id, run_number } = scope;
  const { stf_filename } = said.fact;
  standingFor(scope, said, stf_filename);
  const gen = standing(scope, 'stf_gen', stf_filename);
  const ready = standing(scope, 'stf_ready', stf_filename);
  const registered = standing(scope, 'told_stf', stf_filename);
  const told_ready = standing(scope, 'told_stf_ready', stf_filename);
  const before = sql<[string, string], StfRow>(
    'SELECT status, size_bytes FROM stf_files WHERE stf_filename = ? AND execution_id = ?',
  ).get(stf_filename, execution_id);
  const dealtWith = ready ?? told_ready;
  const status = dealtWith === undefined ? 'registered' : 'processed';
  const [checksum, size_bytes] = [ready?.fact.checksum ?? null, ready?.fact.size_bytes ?? null];
  const known = (field: 'sequence' | 'tf_count'): number | null =>
    gen?.fact[field] ?? ready?.fact[field] ?? registered?.fact[field] ?? null;
  const created = timeOf(gen ?? ready ?? registered ?? (told_ready as SaidFact));
  const processed = dealtWith === undefined ? null : timeOf(dealtWith);
  const [sequence, tf_count] = [known('sequence'), known('tf_count')];
  const names = [stf_filename, run_number, execution_id];
  sql(
    `INSERT INTO stf_files (stf_filename, run_number, execution_id, sequence, status, checksum, size_bytes, tf_count, created_at, processed_at, tf_file_count, slice_count)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
     ON CONFLICT (stf_filename, execution_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status, checksum = excluded.checksum,
       size_bytes = excluded.size_bytes, tf_count = excluded.tf_count, created_at = excluded.created_at, processed_at = excluded.processed_at`,
  ).run(...names, sequence, status, checksum, size_bytes, tf_count, created, processed);
  countStf(scope, stf_filename, before, { status, size_bytes });
  noteWaiting(scope, stf_filename);
}

/** Notes how long after its STF file was ready a TF file was announced, whichever message comes later. */
function noteWaiting(
  { sql, execution_id }: ObservedScope,
  stf_filename: string,
  tf_filename: string | null = null,
): void {
  sql(
    `UPDATE fastmon_files AS f INDEXED BY fastmon_files_stf SET waited_ms = max(0, CAST(round((julianday(f.created_at) - julianday(s.processed_at)) * 86400000) AS INTEGER))
     FROM stf_files AS s WHERE s.stf_filename = $stf_filename AND s.execution_id = $execution_id
       AND f.stf_filename = $stf_filename AND f.execution_id = $execution_id AND ($tf_filename IS NULL OR f.tf_filename = $tf_filename)
       AND EXISTS (SELECT 1 FROM observed_files AS o WHERE o.execution_id = $execution_id AND o.kind = 'tf_file_registered' AND o.name = f.tf_filename)`,
  ).run({ stf_filename, execution_id, tf_filename });
}

/** Updates the counts of an execution when an STF is heard of, or becomes ready. */
function countStf(scope: ObservedScope, name: string, before: StfRow | undefined, now: StfRow): void {
  const { tx, sql, execution_id } = scope;
  const sums = sumsOf(tx);
  if (before === undefined) {
    recount(scope, name, 'tf_file_count');
    recount(scope, name, 'slice_count');
    sums.add('run_states', [execution_id], 'stfs_announced', 1);
  }
  const isNewlyReady = now.status === 'processed' && before?.status !== 'processed';
  if (isNewlyReady) sums.add('run_states', [execution_id], 'stfs_ready', 1);
  sql(
    'UPDATE runs SET dataset_files = dataset_files + ?, dataset_bytes = dataset_bytes + ? WHERE execution_id = ?',
  ).run(isNewlyReady ? 1 : 0, (now.size_bytes ?? 0) - (before?.size_bytes ?? 0), execution_id);
}

/** A TF file is announced once, or registered by REST alone. */
export function tfSaid(scope: ObservedScope, said: SaidFact<TfFact>): void {
  const { tx, sql, execution_id, run_number } = scope;
  const { tf_filename } = said.fact;
  const announced = (): SaidFact<TfFact> | undefined => standing(scope, 'tf_file_registered', tf_filename);
  const isNew = said.fact.kind === 'tf_file_registered' && announced() === undefined;
  const last = standingFor(scope, said, tf_filename);
  const first = announced() ?? last;
  const before = sql<[string, string], string | null>(
    'SELECT stf_filename FROM fastmon_files WHERE tf_filename = ? AND execution_id = ?',
  ).value(tf_filename, execution_id);
  const { stf_filename = null, tf_first = null, tf_last = null, tf_count = null } = first.fact;
  const names = [tf_filename, stf_filename, run_number, execution_id];
  sql(
    `INSERT INTO fastmon_files (tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, created_at, slice_count)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, coalesce((SELECT slices FROM observed_samples AS o WHERE o.tf_filename = ? AND o.execution_id = ?), 0))
     ON CONFLICT (tf_filename, execution_id) DO UPDATE SET stf_filename = excluded.stf_filename, tf_first = excluded.tf_first, tf_last = excluded.tf_last,
       tf_count = excluded.tf_count, created_at = excluded.created_at`,
  ).run(...names, tf_first, tf_last, tf_count, timeOf(first), tf_filename, execution_id);
  if (isNew) sumsOf(tx).add('run_states', [execution_id], 'tf_files_received', 1);
  if (stf_filename !== null) noteWaiting(scope, stf_filename, tf_filename);
  for (const stf of new Set([before, stf_filename]))
    if (stf !== null && stf !== undefined) recount(scope, stf, 'tf_file_count');
}

/** Counts the samples or the slices of an STF anew: some may have come before it. */
function recount({ sql, execution_id }: ObservedScope, stf: string, column: 'tf_file_count' | 'slice_count'): void {
  const table = column === 'tf_file_count' ? 'fastmon_files' : 'tf_slices';
  sql(
    `UPDATE stf_files AS s SET ${column} = (SELECT count(*) FROM ${table} AS f INDEXED BY ${table}_stf WHERE f.stf_filename = s.stf_filename AND f.execution_id = s.execution_id)
     WHERE stf_filename = ? AND execution_id = ?`,
  ).run(stf, execution_id);
}
