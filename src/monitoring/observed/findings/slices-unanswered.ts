import { counted } from '../../../lib/counted.ts';
import { roundDuration } from '../../../lib/duration.ts';
import { call } from '../../findings/rule.ts';
import { noResultSeconds, passedSeconds, secondsSince } from '../facts.ts';
import { isUnanswered } from '../health.ts';
import { defineObserved, timeOf } from './rule.ts';

export const slicesUnanswered = defineObserved('SLICES_UNANSWERED', (facts) => {
  if (!facts.hearsResults) return undefined;
  const { execution_id, passed, counts, last_result, delays, isOver } = facts;
  const next = call('list_tf_slices', { execution_id, status: 'unanswered', order: 'oldest' });
  if (isOver && counts.slices_queued > 0) {
    const last = last_result === undefined ? 'no result came at all' : `the last result came at ${timeOf(last_result)}`;
    const sentence = `${counted(counts.slices_queued, 'TF slice')} got no result while the run was observed; ${last}.`;
    return { severity: 'error', sentence, ids: [...passed.ids], next };
  }
  const isWaiting = isUnanswered(facts);
  if (!isWaiting && passed.count === 0) return undefined;
  const since =
    last_result === undefined
      ? 'no result has come at all'
      : `the last result came ${roundDuration(secondsSince(facts, last_result))} ago`;
  return {
    severity: 'error',
    sentence: isWaiting
      ? `${counted(counts.slices_queued, 'TF slice')} ${counts.slices_queued === 1 ? 'waits' : 'wait'} for a result, and ${since}; results are expected within ${roundDuration(noResultSeconds(delays))}.`
      : `${counted(passed.count, 'TF slice')} got no result, though slices sent later were answered more than ${roundDuration(passedSeconds(delays))} ago.`,
    ids: [...passed.ids],
    next,
  };
});
