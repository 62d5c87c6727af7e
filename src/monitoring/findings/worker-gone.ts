import { counted } from '../../lib/counted.ts';
import { call, defineDrivenFinding } from './rule.ts';

export const workerGone = defineDrivenFinding('WORKER_GONE', ({ facts, evidence: { execution_id } }) => {
  const { lost } = facts;
  if (lost.length === 0) return undefined;
  return {
    severity: 'warning',
    sentence: `${counted(lost.length, 'slice')} ${lost.length === 1 ? 'is' : 'are'} in the hands of workers that are gone; ${facts.isOverBroker ? 'the broker hands them out again' : 'they are begun again'}.`,
    ids: lost.slice(0, 5).flatMap(({ assigned_worker, slice_filename }) => [assigned_worker, slice_filename]),
    next: call('list_tf_slices', { execution_id, status: 'processing' }),
  };
});
