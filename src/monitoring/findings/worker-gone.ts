import { defineFinding, isDriven } from './rule.ts';

export const workerGone = defineFinding('WORKER_GONE', ({ facts, evidence: { execution_id } }) => {
  const { lost, status } = facts;
  if (status !== 'running' || !isDriven(facts) || lost.length === 0) return undefined;
  return {
    severity: 'warning',
    sentence: `${lost.length} slices are in the hands of workers that are gone; the broker hands them out again.`,
    ids: lost.slice(0, 5).flatMap(({ assigned_worker, slice_filename }) => [assigned_worker, slice_filename]),
    next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'processing' } },
  };
});
