import type { PhaseChange } from '../../monitoring/timeline/phases.ts';
import { happenedAt } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

const phaseTypes = 'run_imminent start_run pause_run resume_run end_run pause_workflow workflow_ended'.split(' ');

type ChangeRow = Record<'type' | 'at', string> & Record<'reason' | 'by', string | null>;

/** The newest messages that changed the phase of an execution, the oldest first. */
export function phaseChanges(sql: Prepare, executionId: string, limit: number): PhaseChange[] {
  const rows = sql<[string, number], ChangeRow>(
    `SELECT ${nameOf('type_no')} AS type, ${happenedAt} AS at, ${jsonField('body', 'reason')} AS reason, coalesce(${jsonField('body', 'claimed_by')}, ${nameOf('sender_no')}) AS by
     FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(phaseTypes)} AND effect = 'applied'
     ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);
  return rows.toReversed().map(({ type, at, reason, by }) => ({
    type,
    at: Date.parse(at),
    reason: reason ?? undefined,
    by: by ?? undefined,
  }));
}
