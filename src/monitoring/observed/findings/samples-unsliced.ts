import { counted } from '../../../lib/counted.ts';
import { nextStepSeconds } from '../facts.ts';
import { defineObserved } from './rule.ts';

export const samplesUnsliced = defineObserved('SAMPLES_UNSLICED', ({ execution_id, unsliced }) =>
  unsliced.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${counted(unsliced.count, 'TF file')} were announced more than ${nextStepSeconds} s ago and not cut into slices: the fast processing agent is gone, or hears nothing.`,
        ids: [...unsliced.ids],
        next: { tool: 'list_tf_files', arguments: { execution_id, order: 'newest' } },
      },
);
