import { counted } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

export const resultsRepeated = defineObserved('RESULTS_REPEATED', ({ execution_id, results_repeated, counts }) =>
  results_repeated === 0
    ? undefined
    : {
        severity: 'info',
        sentence: `${counted(results_repeated, 'result')} came again for slices that had one (${counts.slices_completed + counts.slices_failed} slices are answered): a count of results is higher than the number of slices.`,
        next: call('list_messages', { execution_id, message_type: 'slice_result' }),
      },
);
