import { causesSentence, defineFinding, logLines } from './rule.ts';

export const slicesRetried = defineFinding('SLICES_RETRIED', ({ facts: { slice_retries }, evidence }) => {
  const { execution_id, slices_retried, exhausted_count, causes } = evidence;
  if (slice_retries === 0) return undefined;
  const outcome = exhausted_count === 0 ? 'none has stayed failed' : `${exhausted_count} stay failed`;
  return {
    severity: 'info',
    sentence: `${slices_retried} TF slices were tried again, in ${slice_retries} further attempts; ${outcome}.${exhausted_count === 0 ? causesSentence(causes) : ''}`,
    ids: [],
    next:
      exhausted_count === 0
        ? { tool: 'list_tf_slices', arguments: { execution_id, min_retries: 1 } }
        : logLines(execution_id, { level: 'WARNING' }),
  };
});
