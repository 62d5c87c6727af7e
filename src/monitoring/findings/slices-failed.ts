import { causesSentence, defineFinding, stayFailed } from './rule.ts';

export const slicesFailed = defineFinding('SLICES_FAILED', ({ facts, evidence }) => {
  const { execution_id, exhausted, first_error, causes } = evidence;
  const failed = stayFailed(facts, evidence);
  if (failed === 0) return undefined;
  const first = first_error === undefined ? '' : ` (first error ${first_error.timestamp})`;
  return {
    severity: 'error',
    sentence: `${failed} TF slices stay failed${first}, so their data are not processed.${causesSentence(causes)}`,
    ids: [...exhausted],
    next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'failed', order: 'oldest' } },
  };
});
