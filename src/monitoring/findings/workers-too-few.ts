import type { Facts } from '../facts.ts';
import { defineFinding, isDriven } from './rule.ts';

/** While the DAQ works, a backlog only grows where the workers cannot keep up. */
export const workersTooFew = defineFinding('WORKERS_TOO_FEW', ({ facts, evidence: { execution_id }, judged }) => {
  const { capacity } = judged;
  if (capacity === undefined || !isComing(facts)) return undefined;
  const { workers = 0, workers_needed = 0, backlog = 0, backlog_seconds, arrival_rate = 0, service_seconds } = capacity;
  // That there are none is told by others.
  if (workers === 0 || workers_needed <= workers || backlog === 0) return undefined;
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

/** Whether the DAQ makes STFs: while it is paused nothing comes. */
const isComing = (facts: Facts): boolean =>
  facts.status === 'running' &&
  !facts.isHeld &&
  facts.phase !== 'standby' &&
  facts.phase !== 'completed' &&
  isDriven(facts);
