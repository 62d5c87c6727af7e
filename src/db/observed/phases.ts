import type { Phase, PhaseMessage } from '../../domain/run-phases.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { type FactOf, type ObservedScope, type SaidFact, timeOf } from './said.ts';
import { standing, standingFor } from './standing.ts';

const phaseAfter: Readonly<Record<PhaseMessage, Phase>> = {
  run_imminent: 'imminent',
  start_run: 'physics',
  pause_run: 'standby',
  resume_run: 'physics',
  end_run: 'completed',
};

/** Phases that a run enters once. It may have many pauses. */
const saidOnce: ReadonlySet<PhaseMessage> = new Set(['run_imminent', 'start_run', 'end_run']);

/** The phase is that of the last message by sending time; nothing follows the end. */
export function phaseSaid(scope: ObservedScope, said: SaidFact<FactOf<'phase'>>): void {
  const { sql, execution_id } = scope;
  if (saidOnce.has(said.fact.type)) standingFor(scope, said, '');
  const end = standing(scope, 'end_run', '');
  const begin = standing(scope, 'run_imminent', '') ?? standing(scope, 'start_run', '');
  const last = end === undefined ? lastPhase(scope) : { type: 'end_run' as const, at: timeOf(end) };
  const enter = sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE execution_id = ?');
  if (last !== undefined) enter.run(phaseAfter[last.type], last.at, execution_id);
  const times = [begin, end].map((one) => (one === undefined ? null : timeOf(one)));
  const update = sql('UPDATE runs SET start_time = ?, end_time = ?, total_stf_files = ? WHERE execution_id = ?');
  update.run(...times, end?.fact.total_stf_files ?? null, execution_id);
}

function lastPhase({ sql, execution_id }: ObservedScope): { type: PhaseMessage; at: string } | undefined {
  const row = sql<[string], { type: PhaseMessage; sent_ms: number }>(
    `SELECT ${nameOf('type_no')} AS type, sent_ms FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(Object.keys(phaseAfter))} AND effect = 'applied'
     ORDER BY sent_ms DESC, message_id DESC LIMIT 1`,
  ).get(execution_id);
  return row === undefined ? undefined : { type: row.type, at: new Date(row.sent_ms).toISOString() };
}
