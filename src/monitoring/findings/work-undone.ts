import { defineFinding } from './rule.ts';

/** An execution that was stopped, or failed, leaves slices behind. */
export const workUndone = defineFinding('WORK_UNDONE', ({ facts, evidence: { execution_id, given_up } }) => {
  const { status, counts, slices_final } = facts;
  const undone = counts.slices_created - slices_final;
  if (status === 'running' || status === 'completed' || undone === 0) return undefined;
  return {
    severity: 'warning',
    sentence: `It ended (${status}) with ${undone} of ${counts.slices_created} TF slices without a final result${given_up === 0 ? '' : `, ${given_up} of which workers had in hand`}.`,
    ids: [],
    next: { tool: 'audit_execution', arguments: { execution_id } },
  };
});
