import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Whether an operator has paused an execution since its driver took it up. Taking it up again lets it go on. */
export function isHeld(sql: Prepare, executionId: string): boolean {
  const row = sql<[string, string], { held: number }>(
    `SELECT message_type = 'pause_workflow' AND recorded_at >= (
       SELECT taken_at FROM execution_owners WHERE execution_id = ?) AS held FROM workflow_messages
     WHERE execution_id = ? AND ${indexPredicates.landmark}
       AND message_type IN ('pause_workflow', 'resume_workflow') AND effect = 'applied'
     ORDER BY seq DESC LIMIT 1`,
  ).get(executionId, executionId);
  return row?.held === 1;
}
