import { call, defineFinding, type Found } from './rule.ts';

/** An execution that was stopped, or failed, leaves slices behind. */
export const workUndone = defineFinding('WORK_UNDONE', ({ facts, evidence: { execution_id, given_up } }) => {
  const { status, counts, slices_final, slices_planned } = facts;
  const undone = counts.slices_created - slices_final;
  if (status === 'running' || status === 'completed') return undefined;
  const unmade = (slices_planned ?? 0) - counts.slices_created;
  if (undone === 0)
    return unmade <= 0 || status !== 'terminated'
      ? undefined
      : neverMade(execution_id, status, { unmade, slices_planned });
  return {
    severity: 'warning',
    sentence: `It ended (${status}) with ${undone} of ${counts.slices_created} TF slices without a final result${given_up === 0 ? '' : `, ${given_up} of which workers had in hand`}.`,
    next: call('audit_execution', { execution_id }),
  };
});

/** All slices made so far are done, but it ended before the others were made. */
const neverMade = (
  execution_id: string,
  status: string,
  { unmade, slices_planned = 0 }: { unmade: number; slices_planned: number | undefined },
): Found => ({
  severity: 'warning',
  sentence: `It ended (${status}) before ${unmade} of its ${slices_planned} planned TF slices were made; all others have a final result.`,
  next: call('audit_execution', { execution_id }),
});
