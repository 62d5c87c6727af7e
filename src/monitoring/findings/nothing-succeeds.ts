import { were } from '../../lib/counted.ts';
import { nothingSucceeds } from '../failures-in-a-row.ts';
import { call, causesSentence, defineFinding, type SliceFacts } from './rule.ts';

export const nothingSucceedsRule = defineFinding<SliceFacts>('NOTHING_SUCCEEDS', (facts) => {
  const { execution_id, failing, status, counts, causes, until } = facts;
  if (!nothingSucceeds(failing, until)) return undefined;
  const { since, attempts, isMore, last_done } = failing;
  const done = counts.slices_completed;
  const first = new Date(since).toISOString();
  const before =
    last_done !== undefined
      ? `the last slice was done at ${new Date(last_done).toISOString()}`
      : done === 0
        ? 'no slice was ever done'
        : `${were(done, 'slice')} done before`;
  const what = isMore
    ? `more than ${attempts} attempts failed, without one that succeeded`
    : `all ${attempts} attempts since then failed`;
  return {
    severity: 'error',
    sentence: `Nothing ${status === 'running' ? 'has succeeded' : 'succeeded'} since ${first}${isMore ? ', or longer' : ''}: ${what}; ${before}.`,
    causes: causesSentence(causes),
    next: call('list_tf_slices', { execution_id, status: 'failed', order: 'newest' }),
  };
});
