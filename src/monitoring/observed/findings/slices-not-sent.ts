import { were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { nextStepSeconds } from '../facts.ts';
import { defineObserved } from './rule.ts';

/** Reported only if the bus was heard and there are more such slices than results that may belong to them. */
export const slicesNotSent = defineObserved('SLICES_NOT_SENT', ({ execution_id, unsent, ...facts }) =>
  !facts.isBusHeard || unsent.count <= facts.results_unmatched
    ? undefined
    : {
        severity: 'error',
        sentence: `${were(unsent.count, 'TF slice')} registered by REST${facts.isOver ? '' : ` more than ${nextStepSeconds} s ago`}, and no message has sent them to a worker.`,
        ids: [...unsent.ids],
        next: call('list_messages', { execution_id, message_type: 'slice_registered' }),
      },
);
