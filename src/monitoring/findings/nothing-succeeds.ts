import { were } from '../../lib/counted.ts';
import type { Evidence } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import { nothingSucceeds } from '../failures-in-a-row.ts';
import { call, causesSentence, defineFinding, type Found } from './rule.ts';

type About = Pick<Evidence, 'execution_id' | 'causes'> & Pick<Facts, 'failing' | 'status' | 'counts'>;

/** The finding about failures in a row, for own and observed executions. @param until now, or the end of the execution */
export function nothingSucceedsFinding(about: About, until: number): Found | undefined {
  const { execution_id, failing, status, counts, causes } = about;
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
}

export const nothingSucceedsRule = defineFinding(
  'NOTHING_SUCCEEDS',
  ({ facts, evidence: { execution_id, causes } }) => {
    const until = facts.end_time === null ? facts.now : Date.parse(facts.end_time);
    return nothingSucceedsFinding({ ...facts, execution_id, causes }, until);
  },
);
