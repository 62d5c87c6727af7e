import { counted } from '../../../lib/counted.ts';
import { call, causesSentence } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';
import { defineObserved } from './rule.ts';

/** Workers that the sentence names. */
const named = 4;

export const observedSlicesFailed = defineObserved('SLICES_FAILED', ({ execution_id, failed, causes, by_worker }) =>
  failed.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${counted(failed.count, 'TF slice')} failed.${workersSentence(by_worker)}`,
        causes: causesSentence(causes),
        ids: [...failed.ids],
        next: call('list_tf_slices', { execution_id, status: 'failed', order: 'oldest' }),
      },
);

/** How many attempts failed on each worker, if there are several. */
function workersSentence(workers: ObservedFacts['by_worker']): string {
  if (workers.length < 2) return '';
  const shown = workers.slice(0, named).map(({ worker, failed, ended }) => `${failed} of ${ended} on ${worker}`);
  const more = workers.length - shown.length;
  return ` Attempts failed by worker: ${shown.join(', ')}${more > 0 ? `, and ${counted(more, 'other worker')}` : ''}.`;
}
