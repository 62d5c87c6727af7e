import { counted } from '../../lib/counted.ts';
import { call, causesSentence, defineFinding, stayFailed } from './rule.ts';

export const slicesRetried = defineFinding('SLICES_RETRIED', ({ facts, evidence }) => {
  const { execution_id, slices_retried, causes } = evidence;
  const { slice_retries } = facts;
  if (slice_retries === 0) return undefined;
  const failed = stayFailed(facts, evidence);
  const outcome = failed === 0 ? 'none has stayed failed' : `${failed} ${failed === 1 ? 'stays' : 'stay'} failed`;
  return {
    severity: 'info',
    // If slices stay failed, another finding reports the causes.
    sentence: `${counted(slices_retried, 'TF slice')} ${slices_retried === 1 ? 'was' : 'were'} tried again, in ${counted(slice_retries, 'further attempt')}; ${outcome}.`,
    causes: failed === 0 ? causesSentence(causes) : '',
    next: call('list_logs', { execution_id, level: 'WARNING' }),
  };
});
