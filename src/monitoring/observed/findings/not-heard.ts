import { counted, defineObserved, messagesOf, timeOf } from './rule.ts';

export const notHeard = defineObserved('NOT_HEARD', ({ execution_id, gaps }) => {
  const [first] = gaps;
  if (first === undefined) return undefined;
  const seconds = Math.round(gaps.reduce((sum, { from, until }) => sum + until - from, 0) / 1000);
  const which =
    gaps.length === 1 ? `from ${timeOf(first.from)} to ${timeOf(first.until)}` : `the first at ${timeOf(first.from)}`;
  return {
    severity: 'warning',
    sentence: `Nothing could be heard in ${counted(gaps.length, 'gap')} of together ${seconds} s, ${which} (${first.reason}): counts are lower bounds.`,
    ids: [],
    next: messagesOf(execution_id, { start_time: timeOf(first.from - 60_000), end_time: timeOf(first.until + 60_000) }),
  };
});
