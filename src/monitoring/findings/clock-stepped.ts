import { call, defineFinding } from './rule.ts';

export const clockStepped = defineFinding('CLOCK_STEPPED', ({ evidence: { execution_id, clock_steps } }) => {
  const [first, ...others] = clock_steps;
  if (first === undefined) return undefined;
  const { at, seconds, hostname } = first;
  const what =
    seconds < 0
      ? `was set back by ${-seconds} s at ${at}. Times of this execution do not go back: they are ahead of that clock from then on`
      : `went forward by ${seconds} s at ${at}: it was set, or the machine slept. Times after that are so much later; its duration is told without the step`;
  const more =
    others.length === 0 ? '' : ` It stepped ${others.length} more ${others.length === 1 ? 'time' : 'times'}.`;
  return {
    severity: 'warning',
    sentence: `The clock of ${hostname} ${what}.${more}`,
    ids: [hostname],
    next: call('list_logs', { execution_id, search: 'the clock of this machine', order: 'oldest' }),
  };
});
