import { call, defineFinding } from './rule.ts';

/** An execution that was stopped, or failed, leaves slices behind; one that was stopped may also end before all of them were made. */
export const workUndone = defineFinding('WORK_UNDONE', ({ facts, evidence: { execution_id, given_up } }) => {
  const { status, counts, slices_final, slices_planned = 0 } = facts;
  if (status === 'running' || status === 'completed') return undefined;
  const undone = counts.slices_created - slices_final;
  const unmade = slices_planned - counts.slices_created;
  if (undone === 0 && (unmade <= 0 || status !== 'terminated')) return undefined;
  return {
    severity: 'warning',
    sentence:
      undone === 0
        ? `It ended (${status}) before ${unmade} of its ${slices_planned} planned TF slices were made; all others have a final result.`
        : `It ended (${status}) with ${undone} of ${counts.slices_created} TF slices without a final result${given_up === 0 ? '' : `, ${given_up} of which workers had in hand`}.`,
    next: call('audit_execution', { execution_id }),
  };
});
