import { nextStepSeconds } from '../facts.ts';
import { defineObserved, messagesOf, were } from './rule.ts';

/** Said only where the bus was heard, and where no result waits for a slice that it does not name. */
export const slicesNotSent = defineObserved(
  'SLICES_NOT_SENT',
  ({ execution_id, unsent, isBusHeard, results_unmatched }) =>
    !isBusHeard || unsent.count <= results_unmatched
      ? undefined
      : {
          severity: 'error',
          sentence: `${were(unsent.count, 'TF slice')} registered by REST more than ${nextStepSeconds} s ago, and no message has sent them to a worker.`,
          ids: [...unsent.ids],
          next: messagesOf(execution_id, { message_type: 'slice_registered' }),
        },
);
