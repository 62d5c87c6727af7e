import { roundDuration } from '../../../lib/duration.ts';
import { call } from '../../findings/rule.ts';
import { defineObserved, timeOf } from './rule.ts';

export const notHeard = defineObserved('NOT_HEARD', ({ execution_id, gaps }) => {
  const open = gaps.filter(({ isFilled }) => isFilled !== true);
  const isFilled = open.length === 0;
  const some = isFilled ? gaps : open;
  const [first] = some;
  if (first === undefined) return undefined;
  const seconds = Math.round(some.reduce((sum, { from, until }) => sum + until - from, 0) / 1000);
  const which =
    some.length === 1 ? `from ${timeOf(first.from)} to ${timeOf(first.until)}` : `the first at ${timeOf(first.from)}`;
  const [start_time, end_time] = [timeOf(first.from - 60_000), timeOf(first.until + 60_000)];
  const meaning = isFilled
    ? 'files, registered slices and results of that time were read from swf-monitor since; slices_sent is a lower bound'
    : 'counts are lower bounds';
  return {
    severity: isFilled ? 'info' : 'warning',
    sentence: `Nothing could be heard in ${some.length === 1 ? `a gap of ${roundDuration(seconds)}` : `${some.length} gaps, ${roundDuration(seconds)} in all`}, ${which} (${first.reason}): ${meaning}.`,
    next: call('list_messages', { execution_id, start_time, end_time }),
  };
});
