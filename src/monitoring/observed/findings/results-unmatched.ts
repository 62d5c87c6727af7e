import { counted } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

export const resultsUnmatched = defineObserved('RESULTS_UNMATCHED', ({ execution_id, results_unmatched, counts }) =>
  // If no slices go over the bus, no result can match one.
  results_unmatched === 0 || counts.slices_created === 0
    ? undefined
    : {
        severity: 'warning',
        sentence: `${counted(results_unmatched, 'result')} ${results_unmatched === 1 ? 'fits' : 'fit'} no slice that was heard: the slices were sent before anybody listened, or another program made the results.`,
        next: call('list_messages', { execution_id, message_type: 'slice_result' }),
      },
);
