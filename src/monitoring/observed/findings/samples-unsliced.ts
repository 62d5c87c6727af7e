import { were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { nextStepSeconds } from '../facts.ts';
import { defineObserved, timeOf } from './rule.ts';

export const samplesUnsliced = defineObserved('SAMPLES_UNSLICED', ({ execution_id, unsliced, isOver, last_slice }) =>
  unsliced.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${were(unsliced.count, 'TF file')} announced${isOver ? '' : ` more than ${nextStepSeconds} s ago`} and not cut into slices${last_slice === undefined ? ', and none was: the fast processing agent is gone, or hears nothing' : `; the last slice was sent at ${timeOf(last_slice)}`}.`,
        ids: [...unsliced.ids],
        next: call('list_tf_files', { execution_id, order: 'newest' }),
      },
);
