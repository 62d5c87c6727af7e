import { were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { nextStepSeconds } from '../facts.ts';
import { defineObserved } from './rule.ts';

export const stfNotReady = defineObserved('STF_NOT_READY', ({ execution_id, unready, isOver }) =>
  unready.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${were(unready.count, 'STF file')} announced${isOver ? '' : ` more than ${nextStepSeconds} s ago`}, and no data agent has reported ${unready.count === 1 ? 'it' : 'them'} as ready.`,
        ids: [...unready.ids],
        next: call('list_stf_files', { execution_id, status: 'registered' }),
      },
);
