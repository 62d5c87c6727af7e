import { roundDuration } from '../../lib/duration.ts';
import { payloadLimit } from '../facts.ts';
import { overdueSlices } from '../pace.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** Slices that the ids name. */
const named = 3;

export const sliceOverdue = defineDrivenFinding('SLICE_OVERDUE', ({ facts, evidence, judged: { pace } }) => {
  const overdue = overdueSlices(facts, pace);
  const [oldest] = overdue;
  if (oldest === undefined) return undefined;
  const { usual_seconds, slow_seconds, stalled_seconds } = pace;
  const limit = payloadLimit(facts);
  const usual =
    usual_seconds === undefined ? 'what is usual is not known yet' : `${roundDuration(usual_seconds)} is usual`;
  const end = limit === undefined ? '' : `; the payload is ended after ${roundDuration(limit)}`;
  const held = `${oldest.slice_filename} by ${oldest.assigned_worker} since ${oldest.since} (${roundDuration(oldest.seconds)})`;
  const which = overdue.length === 1 ? held : `the oldest is ${held}`;
  // The number of free workers elsewhere is unknown at this moment.
  const slots = facts.isOverBroker ? Infinity : (facts.slots ?? Infinity);
  const taken =
    overdue.length < slots
      ? ''
      : ` ${slots === 1 ? 'The only slot is taken by it' : `All ${slots} slots are taken by such slices`}: nothing else is worked on.`;
  const isStalled = stalled_seconds !== undefined && oldest.seconds > stalled_seconds;
  return {
    severity: isStalled ? 'error' : 'warning',
    sentence: `${overdue.length} TF ${overdue.length === 1 ? 'slice has' : 'slices have'} been in hand for more than ${roundDuration(slow_seconds)} (${usual}${end}): ${which}.${taken}`,
    ids: overdue.slice(0, named).flatMap(({ slice_filename, assigned_worker }) => [slice_filename, assigned_worker]),
    next: call('list_tf_slices', { execution_id: evidence.execution_id, status: 'processing', order: 'oldest' }),
  };
});
