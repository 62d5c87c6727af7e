import { roundDuration } from '../../lib/duration.ts';
import { call, defineFinding } from './rule.ts';

/** A running execution writes more often than this, in seconds. */
const oldSeconds = 60;

export const dataOld = defineFinding('DATA_OLD', ({ facts: { status, now }, evidence }) => {
  const { data_as_of, execution_id } = evidence;
  const age = data_as_of === undefined ? 0 : (now - Date.parse(data_as_of)) / 1000;
  if (status !== 'running' || age < oldSeconds) return undefined;
  return {
    severity: 'warning',
    sentence: `Nothing has been written into the store for ${roundDuration(age)} although the execution should be running.`,
    next: call('list_agents', { execution_id }),
  };
});
