import { causesSentence, defineFinding, logLines, stayFailed } from './rule.ts';

export const slicesRetried = defineFinding('SLICES_RETRIED', ({ facts, evidence }) => {
  const { execution_id, slices_retried, causes } = evidence;
  const { slice_retries } = facts;
  if (slice_retries === 0) return undefined;
  const failed = stayFailed(facts, evidence);
  const outcome = failed === 0 ? 'none has stayed failed' : `${failed} stay failed`;
  return {
    severity: 'info',
    // If slices stay failed, another finding reports the causes.
    sentence: `${slices_retried} TF slices were tried again, in ${slice_retries} further attempts; ${outcome}.${failed === 0 ? causesSentence(causes) : ''}`,
    ids: [],
    next: logLines(execution_id, { level: 'WARNING' }),
  };
});
