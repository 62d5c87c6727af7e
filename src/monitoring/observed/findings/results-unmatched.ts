import { counted, defineObserved, messagesOf } from './rule.ts';

export const resultsUnmatched = defineObserved('RESULTS_UNMATCHED', ({ execution_id, results_unmatched, counts }) =>
  // Where no slice goes over the bus, none can fit.
  results_unmatched === 0 || counts.slices_created === 0
    ? undefined
    : {
        severity: 'warning',
        sentence: `${counted(results_unmatched, 'result')} fit no slice that was heard: the slices were sent before anybody listened, or another program made the results.`,
        ids: [],
        next: messagesOf(execution_id, { message_type: 'slice_result' }),
      },
);
