import { were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

export const sizeChanged = defineObserved('SIZE_CHANGED', ({ execution_id, shrunken }) =>
  shrunken === undefined
    ? undefined
    : {
        severity: 'warning',
        sentence: `From ${shrunken.first} on, ${were(shrunken.count, 'TF file')} cut into slices of at most ${shrunken.largest} Time Frames; the first ones had ${shrunken.usual}.`,
        ids: [shrunken.first],
        next: call('list_tf_slices', { execution_id, tf_filename: shrunken.first }),
      },
);
