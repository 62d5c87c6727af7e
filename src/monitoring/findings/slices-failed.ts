import { causesSentence, defineFinding, stayFailed } from './rule.ts';

export const slicesFailed = defineFinding('SLICES_FAILED', ({ facts, evidence }) => {
  const { execution_id, exhausted, first_error, causes } = evidence;
  const failed = stayFailed(facts, evidence);
  if (failed === 0) return undefined;
  const first = first_error === undefined ? '' : ` First, at ${first_error.timestamp}: ${first_error.message}`;
  return {
    severity: 'error',
    sentence: `${failed} TF slices stay failed, so their data are not processed.${causesSentence(causes)}${first}`,
    ids: [...exhausted],
    next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'failed', order: 'oldest' } },
  };
});
