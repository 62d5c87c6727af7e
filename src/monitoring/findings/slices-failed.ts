import { counted } from '../../lib/counted.ts';
import { call, causesSentence, defineFinding, stayFailed } from './rule.ts';

export const slicesFailed = defineFinding('SLICES_FAILED', ({ facts, evidence }) => {
  const { execution_id, exhausted, first_failure, causes } = evidence;
  const failed = stayFailed(facts, evidence);
  if (failed === 0) return undefined;
  const isAll = facts.counts.slices_completed === 0 && facts.status !== 'running';
  const first = first_failure === undefined ? '' : ` The first attempt failed at ${first_failure}.`;
  return {
    severity: 'error',
    sentence: `${isAll ? 'No slice succeeded: ' : ''}${counted(failed, 'TF slice')} ${failed === 1 ? 'stays' : 'stay'} failed.${first}`,
    causes: causesSentence(causes),
    ids: [...exhausted],
    next: call('list_tf_slices', { execution_id, status: 'failed', order: 'oldest' }),
  };
});
