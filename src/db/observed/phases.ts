import type { Phase, PhaseMessage } from '../../domain/run-phases.ts';
import { type FactOf, type SaidFact, standingBy, timeOf } from '../../observed/folding/said.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import type { ObservedScope } from './said.ts';
import { foldWith } from './subjects.ts';

const phaseAfter: Readonly<Record<PhaseMessage, Phase>> = {
  run_imminent: 'imminent',
  start_run: 'physics',
  pause_run: 'standby',
  resume_run: 'physics',
  end_run: 'completed',
};

type SaidPhase = SaidFact<FactOf<'phase'>>;

/** The beginning and the end of a run: each stands once, the first time that it was sent. */
function foldPhases(messages: readonly SaidPhase[]) {
  const { stands, repeats } = standingBy(messages, ({ type }) => type);
  return { begin: stands.get('run_imminent') ?? stands.get('start_run'), end: stands.get('end_run'), repeats };
}

/** The phase is that of the last message by sending time; nothing follows the end. */
export function phaseSaid(scope: ObservedScope, said: SaidPhase, earlier: SaidPhase | undefined): void {
  const { sql, execution_id } = scope;
  const { begin, end } = foldWith(scope, said, earlier, foldPhases).after;
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
