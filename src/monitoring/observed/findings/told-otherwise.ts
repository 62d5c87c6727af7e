import { counted, were } from '../../../lib/counted.ts';
import { call } from '../../findings/rule.ts';
import { nextStepSeconds, secondsSince } from '../facts.ts';
import { defineObserved } from './rule.ts';

/** The runner reported an end that the bus or the registered slices contradict. */
export const toldOtherwise = defineObserved('TOLD_OTHERWISE', (facts) => {
  const { execution_id, told, counts, slices_told, unsent, isBusHeard, isOver } = facts;
  if (told === undefined || told.status === 'running') return undefined;
  if (!isOver && secondsSince(facts, told.at) < nextStepSeconds) return undefined;
  if (counts.slices_queued > 0)
    return {
      severity: 'warning',
      sentence: `Its runner reported it ${told.status}, but ${counted(counts.slices_queued, 'TF slice')} ${counts.slices_queued === 1 ? 'has' : 'have'} no result.`,
      next: call('list_tf_slices', { execution_id, status: 'unanswered' }),
    };
  const untold = counts.slices_created - (slices_told - unsent.count);
  if (!isBusHeard || slices_told === 0 || (unsent.count === 0 && untold === 0)) return undefined;
  return {
    severity: 'warning',
    sentence: `Its runner reported it ${told.status}; ${were(slices_told, 'TF slice')} registered by REST, and ${counts.slices_created} were heard on the bus.`,
    ids: [...unsent.ids],
    next: call('list_messages', { execution_id, message_type: 'slice_registered' }),
  };
});
