import { plannedStfCount } from '../../domain/daq-schedule.ts';
import type { Effect } from '../../domain/effects.ts';
import { nextPhase, type PhaseMessage } from '../../domain/run-phases.ts';
import { phaseOf } from '../execution/overview.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { applied, none, type Projection, type Scope } from './effect.ts';

/** Changes the run's phase. @param endReason the reason of an `end_run` */
function stepPhase(tx: Transaction, scope: Scope, type: PhaseMessage, at: string, endReason?: string): Effect {
  const { execution_id } = scope;
  const phase = phaseOf(tx.sql, execution_id) ?? 'none';
  const next = nextPhase(phase, type, endReason);
  if (next === undefined) return none('NO_STEP', `no step from phase ${phase} by ${type}`);
  tx.sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE execution_id = ?').run(next, at, execution_id);
  return applied;
}

export const runImminent: Projection<'run_imminent'> = (_, { scope, at, tx }) => {
  const effect = stepPhase(tx, scope, 'run_imminent', at);
  if (effect === applied) {
    const open = `UPDATE runs SET start_time = ?, dataset_name = ?, dataset_state = 'open' WHERE execution_id = ?`;
    tx.sql(open).run(at, `swf.${scope.run_number}.run`, scope.execution_id);
  }
  return effect;
};

export const stepRun: Projection<'start_run' | 'pause_run' | 'resume_run'> = ({ msg_type }, { scope, at, tx }) =>
  stepPhase(tx, scope, msg_type, at);

export const endRun: Projection<'end_run'> = (message, { scope, at, tx }) => {
  const planned = plannedStfCount(scope.params);
  const { total_stf_files } = message;
  // With more STFs than planned the execution would never be complete.
  if (planned !== undefined && total_stf_files > planned)
    return none('NOT_PLANNED', `${total_stf_files} STF files are more than the ${planned} that are planned`);
  const effect = stepPhase(tx, scope, 'end_run', at, message.reason);
  if (effect === applied) {
    const end = 'UPDATE runs SET end_time = ?, total_stf_files = ? WHERE execution_id = ?';
    tx.sql(end).run(at, total_stf_files, scope.execution_id);
    finalizeDataset(tx, scope);
  }
  return effect;
};

/** The dataset is final once the run has ended and every announced STF is ready. */
export function finalizeDataset({ sql }: Transaction, { execution_id }: Scope): void {
  sql(
    `UPDATE runs SET dataset_state = 'final'
     WHERE execution_id = ? AND dataset_state = 'open' AND end_time IS NOT NULL
       AND (SELECT stfs_ready = stfs_announced FROM run_states WHERE run_states.execution_id = runs.execution_id)`,
  ).run(execution_id);
}
