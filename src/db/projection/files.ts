import { planSamples, planSlices, sampleNumber, stfFilename, tfFilename } from '../../domain/plan.ts';
import type { Phase } from '../../domain/run-phases.ts';
import { keepDelay } from './delays.ts';
import { applied, awaiting, none, type Projection } from './effect.ts';
import { finalizeDataset } from './run-phases.ts';

export const stfGen: Projection<'stf_gen'> = (message, { scope, at, sql }) => {
  const { filename, sequence, tf_count } = message;
  const expected = stfFilename(scope.run_number, sequence);
  if (filename !== expected) return none(`STF ${sequence} of run ${scope.run_number} is ${expected}, not ${filename}`);
  const run = sql<[number], { phase: Phase; stfs_announced: number; total_stf_files: number | null }>(
    'SELECT phase, stfs_announced, total_stf_files FROM run_states JOIN runs USING (run_number) WHERE run_number = ?',
  ).get(scope.run_number);
  // Its end has told how many there are: with one more the execution would never be complete.
  if (run?.phase === 'completed' && sequence > (run.total_stf_files ?? 0)) return none('the run has ended');
  if (sequence !== (run?.stfs_announced ?? 0) + 1) return awaiting(stfFilename(scope.run_number, sequence - 1));
  sql(
    `INSERT INTO stf_files (stf_filename, run_number, execution_id, sequence, status, tf_count, file_url, created_at)
     VALUES (?, ?, ?, ?, 'registered', ?, ?, ?)`,
  ).run(filename, scope.run_number, scope.execution_id, sequence, tf_count, message.file_url ?? null, at);
  const samples = planSamples({ run: scope.run_number, sequence, tf_count }, scope.params).length;
  sql(
    'UPDATE run_states SET stfs_announced = stfs_announced + 1, samples_expected = samples_expected + ? WHERE run_number = ?',
  ).run(samples, scope.run_number);
  return applied;
};

export const stfReady: Projection<'stf_ready'> = (message, { scope, at, sql }) => {
  const stf = sql<[string, string], { status: string; created_at: string }>(
    'SELECT status, created_at FROM stf_files WHERE stf_filename = ? AND execution_id = ?',
  ).get(message.filename, scope.execution_id);
  if (stf === undefined) return awaiting(message.filename);
  if (stf.status !== 'registered') return none(`${message.filename} is ready already`);
  sql(
    `UPDATE stf_files SET status = 'processed', checksum = ?, size_bytes = ?, processed_at = ? WHERE stf_filename = ?`,
  ).run(message.checksum ?? null, message.size_bytes ?? null, at, message.filename);
  keepDelay(sql, scope, 'stf_gen → stf_ready', stf.created_at, at);
  sql('UPDATE run_states SET stfs_ready = stfs_ready + 1 WHERE run_number = ?').run(scope.run_number);
  sql('UPDATE runs SET dataset_files = dataset_files + 1, dataset_bytes = dataset_bytes + ? WHERE run_number = ?').run(
    message.size_bytes ?? 0,
    scope.run_number,
  );
  finalizeDataset(scope, sql);
  return applied;
};

export const tfFileRegistered: Projection<'tf_file_registered'> = (message, { scope, at, sql }) => {
  const { tf_filename, stf_filename, tf_first, tf_last, tf_count } = message;
  const stf = sql<[string, string], { tf_count: number; sequence: number; processed_at: string | null }>(
    'SELECT tf_count, sequence, processed_at FROM stf_files WHERE stf_filename = ? AND execution_id = ?',
  ).get(stf_filename, scope.execution_id);
  if (stf === undefined) return awaiting(stf_filename);
  const number = sampleNumber(tf_filename);
  if (number === undefined || tf_filename !== tfFilename(stf_filename, number)) {
    return none(`${tf_filename} is not the name of a sample of ${stf_filename}`);
  }
  if (tf_last - tf_first + 1 !== tf_count || tf_last >= stf.tf_count) {
    return none(
      `frames ${tf_first} to ${tf_last} are not ${tf_count} of the ${stf.tf_count} frames of ${stf_filename}`,
    );
  }
  const planned = planSamples({ run: scope.run_number, sequence: stf.sequence, tf_count: stf.tf_count }, scope.params);
  if (number > planned.length) return none(`${stf_filename} has ${planned.length} samples by the plan, not ${number}`);
  sql(
    `INSERT INTO fastmon_files (tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, size_bytes, file_url, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    tf_filename,
    stf_filename,
    scope.run_number,
    scope.execution_id,
    tf_first,
    tf_last,
    tf_count,
    message.size_bytes ?? null,
    message.file_url ?? null,
    at,
  );
  keepDelay(sql, scope, 'stf_ready → tf_file_registered', stf.processed_at, at);
  sql('UPDATE stf_files SET tf_file_count = tf_file_count + 1 WHERE stf_filename = ?').run(stf_filename);
  const slices = planSlices(message, scope.params.fast_processing.slices_per_sample).length;
  sql(
    'UPDATE run_states SET tf_files_received = tf_files_received + 1, slices_expected = slices_expected + ? WHERE run_number = ?',
  ).run(slices, scope.run_number);
  return applied;
};
