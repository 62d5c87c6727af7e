import { plannedStfCount } from '../../domain/daq-schedule.ts';
import type { Effect } from '../../domain/effects.ts';
import { sampleNumber, stfFilename, tfFilename } from '../../domain/file-names.ts';
import { planOf } from '../../domain/plan/versions.ts';
import { nextPhase, type Phase, type PhaseMessage } from '../../domain/run-phases.ts';
import type { Message } from '../../messages/message.ts';
import { phaseOf } from '../execution/overview.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, awaiting, none, type Projection, type Projections, type Scope } from './effect.ts';
import { keepDelay } from './sums.ts';

interface StfRow {
  tf_count: number;
  sequence: number;
  processed_at: string | null;
}

/** Why a sample does not match its STF; undefined if it matches. */
function mismatchOf(message: Message<'tf_file_registered'>, stf: StfRow, planned: number) {
  const { tf_filename, stf_filename, tf_first, tf_last, tf_count } = message;
  const number = sampleNumber(tf_filename);
  if (number === undefined || tf_filename !== tfFilename(stf_filename, number))
    return `${tf_filename} is not the name of a sample of ${stf_filename}`;
  if (tf_last - tf_first + 1 !== tf_count || tf_last >= stf.tf_count)
    return `frames ${tf_first} to ${tf_last} are not ${tf_count} of the ${stf.tf_count} frames of ${stf_filename}`;
  return number > planned ? `${stf_filename} has ${planned} planned samples, not ${number}` : undefined;
}

/** Changes the phase of the run. @param endReason the reason in an `end_run` */
function stepPhase(tx: Transaction, scope: Scope, type: PhaseMessage, at: string, endReason?: string): Effect {
  const { execution_id } = scope;
  const phase = phaseOf(tx.sql, execution_id) ?? 'none';
  const next = nextPhase(phase, type, endReason);
  if (next === undefined) return none('NO_STEP', `phase ${phase} does not allow ${type}`);
  tx.sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE execution_id = ?').run(next, at, execution_id);
  return applied;
}

const stepRun: Projection<'start_run' | 'pause_run' | 'resume_run'> = ({ msg_type }, { scope, at, tx }) =>
  stepPhase(tx, scope, msg_type, at);

/** The dataset is final once the run has ended and every announced STF is ready. */
function finalizeDataset({ sql }: Transaction, { execution_id }: Scope) {
  sql(
    `UPDATE runs SET dataset_state = 'final'
     WHERE execution_id = ? AND dataset_state = 'open' AND end_time IS NOT NULL
       AND (SELECT stfs_ready = stfs_announced FROM run_states WHERE run_states.execution_id = runs.execution_id)`,
  ).run(execution_id);
}

/** Files, and the phases of a run. */
export const fileProjections = {
  stf_gen: (message, { scope, at, tx: { sql } }) => {
    const { filename, sequence, tf_count } = message;
    const { run_number, execution_id, params } = scope;
    const expected = stfFilename(run_number, sequence);
    if (filename !== expected)
      return none('NOT_PLANNED', `STF ${sequence} of run ${run_number} is ${expected}, not ${filename}`);
    const run = sql<{ phase: Phase; stfs_announced: number; total_stf_files: number | null }>(
      'SELECT phase, stfs_announced, total_stf_files FROM run_states JOIN runs USING (execution_id) WHERE execution_id = ?',
    ).get(execution_id);
    // The end of the run fixed the number of STFs. With one more STF, the execution would never be complete.
    if (run?.phase === 'completed' && sequence > (run.total_stf_files ?? 0))
      return none('NO_STEP', 'the run has ended');
    if (sequence !== (run?.stfs_announced ?? 0) + 1) return awaiting(stfFilename(run_number, sequence - 1));
    sql(
      `INSERT INTO stf_files (stf_filename, run_number, execution_id, sequence, status, tf_count, file_url, created_at)
     VALUES (?, ?, ?, ?, 'registered', ?, ?, ?)`,
    ).run(filename, run_number, execution_id, sequence, tf_count, message.file_url ?? null, at);
    const samples = planOf(params).sampleCount({ sequence, tf_count });
    sql(
      'UPDATE run_states SET stfs_announced = stfs_announced + 1, samples_expected = samples_expected + ? WHERE execution_id = ?',
    ).run(samples, execution_id);
    return applied;
  },

  stf_ready: (message, { scope, at, tx }) => {
    const { sql } = tx;
    const { filename, checksum, size_bytes } = message;
    const stf = sql<{ status: string; created_at: string; sequence: number; tf_count: number }>(
      'SELECT status, created_at, sequence, tf_count FROM stf_files WHERE stf_filename = ? AND execution_id = ?',
    ).get(filename, scope.execution_id);
    if (stf === undefined) return awaiting(filename);
    if (message.sequence !== stf.sequence || message.tf_count !== stf.tf_count)
      return none(
        'NOT_PLANNED',
        `${filename} was announced as STF ${stf.sequence} with ${stf.tf_count} Time Frames, not as STF ${message.sequence} with ${message.tf_count}`,
      );
    if (stf.status !== 'registered') return none('NO_STEP', `${filename} is already ready`);
    sql(
      `UPDATE stf_files SET status = 'processed', checksum = ?, size_bytes = ?, processed_at = ? WHERE stf_filename = ? AND execution_id = ?`,
    ).run(checksum ?? null, size_bytes ?? null, at, filename, scope.execution_id);
    keepDelay(tx, scope, 'stf_gen → stf_ready', { from: stf.created_at, to: at });
    sql('UPDATE run_states SET stfs_ready = stfs_ready + 1 WHERE execution_id = ?').run(scope.execution_id);
    sql(
      'UPDATE runs SET dataset_files = dataset_files + 1, dataset_bytes = dataset_bytes + ? WHERE execution_id = ?',
    ).run(size_bytes ?? 0, scope.execution_id);
    finalizeDataset(tx, scope);
    return applied;
  },

  tf_file_registered: (message, { scope, at, tx }) => {
    const { sql } = tx;
    const { tf_filename, stf_filename, tf_first, tf_last, tf_count, size_bytes = null, file_url = null } = message;
    const { run_number, execution_id, params } = scope;
    const stf = sql<StfRow>(
      'SELECT tf_count, sequence, processed_at FROM stf_files WHERE stf_filename = ? AND execution_id = ?',
    ).get(stf_filename, execution_id);
    if (stf === undefined) return awaiting(stf_filename);
    const plan = planOf(params);
    const mismatch = mismatchOf(message, stf, plan.sampleCount(stf));
    if (mismatch !== undefined) return none('NOT_PLANNED', mismatch);
    sql(
      `INSERT INTO fastmon_files (tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, size_bytes, file_url, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, size_bytes, file_url, at);
    keepDelay(tx, scope, 'stf_ready → tf_file_registered', { from: stf.processed_at, to: at });
    const count = 'UPDATE stf_files SET tf_file_count = tf_file_count + 1 WHERE stf_filename = ? AND execution_id = ?';
    sql(count).run(stf_filename, execution_id);
    sql(
      'UPDATE run_states SET tf_files_received = tf_files_received + 1, slices_expected = slices_expected + ? WHERE execution_id = ?',
    ).run(plan.sliceCount(tf_count), execution_id);
    return applied;
  },

  run_imminent: (_, { scope, at, tx }) => {
    const effect = stepPhase(tx, scope, 'run_imminent', at);
    if (effect === applied) {
      const open = `UPDATE runs SET start_time = ?, dataset_name = ?, dataset_state = 'open' WHERE execution_id = ?`;
      tx.sql(open).run(at, `swf.${scope.run_number}.run`, scope.execution_id);
    }
    return effect;
  },

  start_run: stepRun,
  pause_run: stepRun,
  resume_run: stepRun,
  end_run: (message, { scope, at, tx }) => {
    const planned = plannedStfCount(scope.params);
    const { total_stf_files } = message;
    // With more STFs than planned, the execution would never be complete.
    if (planned !== undefined && total_stf_files > planned)
      return none('NOT_PLANNED', `${total_stf_files} STF files are more than the ${planned} planned`);
    const effect = stepPhase(tx, scope, 'end_run', at, message.reason);
    if (effect === applied) {
      const end = 'UPDATE runs SET end_time = ?, total_stf_files = ? WHERE execution_id = ?';
      tx.sql(end).run(at, total_stf_files, scope.execution_id);
      finalizeDataset(tx, scope);
    }
    return effect;
  },
} satisfies Partial<Projections>;
