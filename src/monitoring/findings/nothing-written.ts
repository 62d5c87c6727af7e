import { roundDuration } from '../../lib/duration.ts';
import { call, defineFinding } from './rule.ts';

export const nothingWritten = defineFinding('NOTHING_WRITTEN', ({ evidence: { execution_id, standstills } }) => {
  const [first, ...others] = standstills;
  if (first === undefined) return undefined;
  const { from, until, hostname } = first;
  const seconds = Math.round((Date.parse(until) - Date.parse(from)) / 1000);
  const more =
    others.length === 0 ? '' : ` This happened ${others.length} more ${others.length === 1 ? 'time' : 'times'}.`;
  return {
    severity: 'warning',
    sentence: `Nothing was written from ${from} to ${until} (${roundDuration(seconds)}), though a process on ${hostname} drove the execution: it stood still, or the store could not be written. Slices in hand then look busy, and were not worked on by workers of that process.${more}`,
    ids: [hostname],
    next: call('list_logs', { execution_id, start_time: from, order: 'oldest' }),
  };
});
