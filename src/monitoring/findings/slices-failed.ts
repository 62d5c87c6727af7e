import { causesSentence, defineFinding } from './rule.ts';

export const slicesFailed = defineFinding('SLICES_FAILED', ({ evidence }) => {
  const { execution_id, exhausted, exhausted_count, first_error, causes } = evidence;
  if (exhausted_count === 0) return undefined;
  const first = first_error === undefined ? '' : ` First, at ${first_error.timestamp}: ${first_error.message}`;
  return {
    severity: 'error',
    sentence: `${exhausted_count} TF slices stay failed, so their data are not processed.${causesSentence(causes)}${first}`,
    ids: [...exhausted],
    next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'failed', order: 'oldest' } },
  };
});
