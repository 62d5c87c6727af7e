import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { Capacity } from '../capacity.ts';
import { delayOf, type Facts, idleSeconds } from '../facts.ts';
import { call, defineFinding, type Found, isDriven } from './rule.ts';

/** While the DAQ works, a backlog grows only if the workers cannot keep up. */
export const workersTooFew = defineFinding('WORKERS_TOO_FEW', ({ facts, evidence: { execution_id }, judged }) => {
  const { capacity } = judged;
  if (capacity !== undefined && facts.status === 'completed') return wereTooFew(facts, capacity, execution_id);
  if (capacity === undefined || !isComing(facts)) return undefined;
  const { workers = 0, workers_needed = 0, backlog = 0, arrival_rate = 0, service_seconds } = capacity;
  // Other findings report a lack of any worker.
  if (workers === 0 || workers_needed <= workers || backlog === 0) return undefined;
  // A run with an end is meant to lag and drain. One without an end is not.
  const isEndless = facts.stf_planned === undefined;
  const outlook = isEndless ? ', and more come' : '; they drain after the DAQ is done';
  const pace = `${arrival_rate} slices/s of ${Math.round(service_seconds * 10) / 10} s each`;
  return {
    severity: isEndless ? 'warning' : 'info',
    sentence: `${counted(workers, 'worker')} cannot keep up with ${pace}: ${workers_needed} would. ${backlogWords(capacity)}${outlook}.`,
    next: call('list_tf_slices', { execution_id, status: 'queued' }),
  };
});

const backlogWords = ({ backlog = 0, backlog_seconds: work }: Capacity): string =>
  `${counted(backlog, 'slice')} waiting${work === undefined ? '' : `, ${roundDuration(work)} of work`}`;

/** The last slices take as long as one slice in any run; with too few workers they take much longer, and half of all slices waited. */
const minDrains = 3;

/** The same for an ended execution: the slices left by the DAQ took long. */
function wereTooFew(facts: Facts, capacity: Capacity, execution_id: string): Found | undefined {
  const { workers = 0, workers_needed, keeps_up, drain_seconds, arrival_rate, service_seconds } = capacity;
  if (keeps_up !== false || drain_seconds === undefined || drain_seconds < minDrains * service_seconds)
    return undefined;
  // A slice that waited through a pause, or for a driver, waited for that.
  const waited = (delayOf(facts, 'slice → slice_started')?.p50 ?? 0) - idleSeconds(facts, 0, facts.now);
  if (waited < service_seconds || (workers_needed ?? 0) > facts.counts.slices_created) return undefined;
  return {
    severity: 'info',
    sentence: `${counted(workers, 'worker')} could not keep up with ${arrival_rate} slices/s of ${Math.round(service_seconds * 10) / 10} s each: ${workers_needed} would have. The last slice was done ${roundDuration(drain_seconds)} after the DAQ.`,
    next: call('get_execution_timeline', { execution_id }),
  };
}

/** Whether the DAQ makes STFs: while it is paused nothing comes. */
const isComing = (facts: Facts): boolean =>
  facts.status === 'running' &&
  !facts.isHeld &&
  facts.phase !== 'standby' &&
  facts.phase !== 'completed' &&
  isDriven(facts);
