import { counted } from '../../../lib/counted.ts';
import { call, causesSentence } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

export const observedSlicesFailed = defineObserved('SLICES_FAILED', ({ execution_id, failed, causes }) =>
  failed.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${counted(failed.count, 'TF slice')} failed.${causesSentence(causes)}`,
        ids: [...failed.ids],
        next: call('list_tf_slices', { execution_id, status: 'failed', order: 'oldest' }),
      },
);
