import { counted } from '../../lib/counted.ts';
import { call, causesSentence, defineFinding, type SliceFacts } from './rule.ts';

export const slicesFailed = defineFinding<SliceFacts>('SLICES_FAILED', (facts) => {
  const { execution_id, failed, first_failure, causes, counts, status } = facts;
  if (failed.count === 0) return undefined;
  const isAll = counts.slices_completed === 0 && failed.isFinal && status !== 'running';
  const stay = failed.count === 1 ? 'stays failed' : 'stay failed';
  const first = first_failure === undefined ? '' : ` The first attempt failed at ${first_failure}.`;
  return {
    severity: 'error',
    sentence: `${isAll ? 'No slice succeeded: ' : ''}${counted(failed.count, 'TF slice')} ${failed.isFinal ? stay : 'failed'}.${first}`,
    causes: causesSentence(causes),
    ids: [...failed.ids],
    next: call('list_tf_slices', { execution_id, status: 'failed', order: 'oldest' }),
  };
});
