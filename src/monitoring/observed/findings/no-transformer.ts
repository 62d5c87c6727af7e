import { were } from '../../../lib/counted.ts';
import { roundDuration } from '../../../lib/duration.ts';
import { call } from '../../findings/rule.ts';
import { secondsSince } from '../facts.ts';
import { defineObserved } from './rule.ts';

/** How long workers take to come unless reported, in seconds. */
const usualRampUp = 300;
const margin = 60;

export const noTransformer = defineObserved('NO_TRANSFORMER', (facts) => {
  const { first_slice, last_result, last_worker_sign, ramp_up = usualRampUp, counts } = facts;
  if (first_slice === undefined || last_result !== undefined || !facts.hearsResults) return undefined;
  const limit = ramp_up + margin;
  const lastSign = Math.max(first_slice, last_worker_sign ?? 0);
  if (secondsSince(facts, lastSign) < limit) return undefined;
  return {
    severity: 'error',
    sentence: `${were(counts.slices_created, 'TF slice')} sent, and neither a result nor a heartbeat of a transformer was heard for ${roundDuration(limit)}: none runs, or its queue is bound to no topic.`,
    next: call('list_agents', { agent_type: 'worker', include_exited: true }),
  };
});
