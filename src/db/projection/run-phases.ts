import { plannedStfCount } from '../../domain/daq-schedule.ts';
import type { Effect } from '../../domain/effects.ts';
import { nextPhase, type Phase, type PhaseMessage } from '../../domain/run-phases.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, none, type Projection, type Scope } from './effect.ts';

/** A step of the run's phase. `endReason` is that of an `end_run`. */
interface PhaseStep {
  type: PhaseMessage;
  at: string;
  endReason?: string;
}

function stepPhase({ sql }: Transaction, { run_number }: Scope, { type, at, endReason }: PhaseStep): Effect {
  const row = sql<[number], { phase: Phase }>('SELECT phase FROM run_states WHERE run_number = ?').get(run_number);
  const phase = row?.phase ?? 'none';
  const next = nextPhase(phase, type, endReason);
  if (next === undefined) return none('NO_STEP', `no step from phase ${phase} by ${type}`);
  sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE run_number = ?').run(next, at, run_number);
  return applied;
}

export const runImminent: Projection<'run_imminent'> = (_, { scope, at, tx }) => {
  const effect = stepPhase(tx, scope, { type: 'run_imminent', at });
  if (effect === applied) {
    tx.sql(`UPDATE runs SET start_time = ?, dataset_name = ?, dataset_state = 'open' WHERE run_number = ?`).run(
      at,
      `swf.${scope.run_number}.run`,
      scope.run_number,
    );
  }
  return effect;
};

export const startRun: Projection<'start_run'> = (_, { scope, at, tx }) =>
  stepPhase(tx, scope, { type: 'start_run', at });

export const pauseRun: Projection<'pause_run'> = (_, { scope, at, tx }) =>
  stepPhase(tx, scope, { type: 'pause_run', at });

export const resumeRun: Projection<'resume_run'> = (_, { scope, at, tx }) =>
  stepPhase(tx, scope, { type: 'resume_run', at });

export const endRun: Projection<'end_run'> = (message, { scope, at, tx }) => {
  const planned = plannedStfCount(scope.params);
  const { total_stf_files } = message;
  // With more than there can be the execution would never be complete.
  if (planned !== undefined && total_stf_files > planned)
    return none('NOT_PLANNED', `${total_stf_files} STF files are more than the ${planned} that are planned`);
  const effect = stepPhase(tx, scope, { type: 'end_run', at, endReason: message.reason });
  if (effect === applied) {
    const update = tx.sql('UPDATE runs SET end_time = ?, total_stf_files = ? WHERE run_number = ?');
    update.run(at, total_stf_files, scope.run_number);
    finalizeDataset(tx, scope);
  }
  return effect;
};

/** The dataset is final once the run has ended and every announced STF is ready. */
export function finalizeDataset({ sql }: Transaction, { run_number }: Scope): void {
  sql(
    `UPDATE runs SET dataset_state = 'final'
     WHERE run_number = ? AND dataset_state = 'open' AND end_time IS NOT NULL
       AND (SELECT stfs_ready = stfs_announced FROM run_states WHERE run_states.run_number = runs.run_number)`,
  ).run(run_number);
}
