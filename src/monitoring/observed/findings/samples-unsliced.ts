import { were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { nextStepSeconds } from '../facts.ts';
import { defineObserved } from './rule.ts';

export const samplesUnsliced = defineObserved('SAMPLES_UNSLICED', ({ execution_id, unsliced }) =>
  unsliced.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${were(unsliced.count, 'TF file')} announced more than ${nextStepSeconds} s ago and not cut into slices: the fast processing agent is gone, or hears nothing.`,
        ids: [...unsliced.ids],
        next: call('list_tf_files', { execution_id, order: 'newest' }),
      },
);
