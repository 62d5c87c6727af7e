import type { Phase, PhaseMessage } from '../../domain/run-phases.ts';
import type { Fact } from '../../observed/reading/fact.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { type ObservedScope, type SaidFact, timeOf } from './said.ts';
import { standing, standingFor } from './standing.ts';

type PhaseFact = Extract<Fact, { kind: 'phase' }>;

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
export function phaseSaid(scope: ObservedScope, said: SaidFact<PhaseFact>): void {
  const { tx, execution_id } = scope;
  if (saidOnce.has(said.fact.type)) standingFor(scope, said, '');
  const once = (type: PhaseMessage) => standing<PhaseFact>(scope, type, '');
  const end = once('end_run');
  const begin = once('run_imminent') ?? once('start_run');
  const last = end === undefined ? lastPhase(scope) : { type: 'end_run' as const, at: timeOf(end) };
  if (last !== undefined)
    tx.sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE execution_id = ?').run(
      phaseAfter[last.type],
      last.at,
      execution_id,
    );
  tx.sql('UPDATE runs SET start_time = ?, end_time = ?, total_stf_files = ? WHERE execution_id = ?').run(
    begin === undefined ? null : timeOf(begin),
    end === undefined ? null : timeOf(end),
    end?.fact.total_stf_files ?? null,
    execution_id,
  );
}

function lastPhase({ tx: { sql }, execution_id }: ObservedScope): { type: PhaseMessage; at: string } | undefined {
  const row = sql<[string], { type: PhaseMessage; sent_ms: number }>(
    `SELECT ${nameOf('type_no')} AS type, sent_ms FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(Object.keys(phaseAfter))} AND effect = 'applied'
     ORDER BY sent_ms DESC, message_id DESC LIMIT 1`,
  ).get(execution_id);
  return row === undefined ? undefined : { type: row.type, at: new Date(row.sent_ms).toISOString() };
}
