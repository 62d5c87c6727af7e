import { defineFinding, isDriven } from './rule.ts';

/** While the DAQ works, a backlog only grows where the workers cannot keep up. */
export const workersTooFew = defineFinding('WORKERS_TOO_FEW', ({ facts, evidence: { execution_id }, judged }) => {
  const { capacity } = judged;
  // While it is paused nothing comes.
  if (facts.isHeld || facts.phase === 'standby') return undefined;
  if (capacity === undefined || !isDriven(facts) || facts.status !== 'running' || facts.phase === 'completed')
    return undefined;
  const { workers, workers_needed, backlog, backlog_seconds, arrival_rate, service_seconds } = capacity;
  if (workers_needed === undefined || arrival_rate === undefined || backlog === undefined) return undefined;
  if (workers_needed <= workers || backlog === 0) return undefined;
  // A run with an end is meant to lag and drain. One without an end is not.
  const isEndless = facts.stf_planned === undefined;
  const outlook = isEndless ? ', and more come' : '; they drain after the DAQ is done';
  const pace = `${arrival_rate} slices/s of ${Math.round(service_seconds * 10) / 10} s each`;
  return {
    severity: isEndless ? 'warning' : 'info',
    sentence: `${workers} workers do not keep up with ${pace}: ${workers_needed} would. ${backlog} slices wait, ${backlog_seconds} s of work${outlook}.`,
    ids: [],
    next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'queued' } },
  };
});
