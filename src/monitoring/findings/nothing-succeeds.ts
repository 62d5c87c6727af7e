import type { CauseCount } from '../../domain/causes.ts';
import { type FailuresInARow, nothingSucceeds } from '../failures-in-a-row.ts';
import { call, causesSentence, defineFinding, type Found } from './rule.ts';

/** The finding about failures in a row, for own and observed executions. */
export function nothingSucceedsFinding(
  execution_id: string,
  { since, attempts, isMore, last_done }: FailuresInARow,
  { isRunning, done, causes }: { isRunning: boolean; done: number; causes: readonly CauseCount[] },
): Found {
  const first = new Date(since).toISOString();
  const before =
    last_done !== undefined
      ? `the last slice was done at ${new Date(last_done).toISOString()}`
      : done === 0
        ? 'no slice was ever done'
        : `${done} slices were done before`;
  const what = isMore
    ? `more than ${attempts} attempts failed, without one that succeeded`
    : `all ${attempts} attempts since then failed`;
  return {
    severity: 'error',
    sentence: `Nothing ${isRunning ? 'succeeds' : 'succeeded'} since ${first}${isMore ? ', or longer' : ''}: ${what}; ${before}.${causesSentence(causes)}`,
    next: call('list_tf_slices', { execution_id, status: 'failed', order: 'newest' }),
  };
}

export const nothingSucceedsRule = defineFinding('NOTHING_SUCCEEDS', ({ facts, evidence }) => {
  const { execution_id, causes } = evidence;
  const { failing, status, now, end_time, counts } = facts;
  const until = end_time === null ? now : Date.parse(end_time);
  if (!nothingSucceeds(failing, until)) return undefined;
  return nothingSucceedsFinding(execution_id, failing, {
    isRunning: status === 'running',
    done: counts.slices_completed,
    causes,
  });
});
