import { nextStepSeconds } from '../facts.ts';
import { counted, defineObserved, messagesOf } from './rule.ts';

export const slicesNotSent = defineObserved('SLICES_NOT_SENT', ({ execution_id, unsent }) =>
  unsent.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${counted(unsent.count, 'TF slice')} were registered by REST more than ${nextStepSeconds} s ago, and no message has sent them to a worker.`,
        ids: [...unsent.ids],
        next: messagesOf(execution_id, { message_type: 'slice_registered' }),
      },
);
