import { plannedStfCount } from '../../domain/daq-schedule.ts';
import { nextPhase, type Phase, type PhaseMessage } from '../../domain/run-phases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { applied, none, type Effect, type Projection, type Scope } from './effect.ts';

function stepPhase(type: PhaseMessage, scope: Scope, at: string, sql: Prepare, endReason?: string): Effect {
  const row = sql<[number], { phase: Phase }>('SELECT phase FROM run_states WHERE run_number = ?').get(
    scope.run_number,
  );
  const phase = row?.phase ?? 'none';
  const next = nextPhase(phase, type, endReason);
  if (next === undefined) return none(`no step from phase ${phase} by ${type}`);
  sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE run_number = ?').run(next, at, scope.run_number);
  return applied;
}

export const runImminent: Projection<'run_imminent'> = (_, { scope, at, sql }) => {
  const effect = stepPhase('run_imminent', scope, at, sql);
  if (effect === applied) {
    sql(`UPDATE runs SET start_time = ?, dataset_name = ?, dataset_state = 'open' WHERE run_number = ?`).run(
      at,
      `swf.${scope.run_number}.run`,
      scope.run_number,
    );
  }
  return effect;
};

export const startRun: Projection<'start_run'> = (_, { scope, at, sql }) => stepPhase('start_run', scope, at, sql);

export const pauseRun: Projection<'pause_run'> = (_, { scope, at, sql }) => stepPhase('pause_run', scope, at, sql);

export const resumeRun: Projection<'resume_run'> = (_, { scope, at, sql }) => stepPhase('resume_run', scope, at, sql);

export const endRun: Projection<'end_run'> = (message, { scope, at, sql }) => {
  const planned = plannedStfCount(scope.params);
  // With more than there can be the execution would never be complete.
  if (planned !== undefined && message.total_stf_files > planned)
    return none(`${message.total_stf_files} STF files are more than the ${planned} that are planned`);
  const effect = stepPhase('end_run', scope, at, sql, message.reason);
  if (effect === applied) {
    sql('UPDATE runs SET end_time = ?, total_stf_files = ? WHERE run_number = ?').run(
      at,
      message.total_stf_files,
      scope.run_number,
    );
    finalizeDataset(scope, sql);
  }
  return effect;
};

/** The dataset is final once the run has ended and every announced STF is ready. */
export function finalizeDataset(scope: Scope, sql: Prepare): void {
  sql(
    `UPDATE runs SET dataset_state = 'final'
     WHERE run_number = ? AND dataset_state = 'open' AND end_time IS NOT NULL
       AND (SELECT stfs_ready = stfs_announced FROM run_states WHERE run_states.run_number = runs.run_number)`,
  ).run(scope.run_number);
}
