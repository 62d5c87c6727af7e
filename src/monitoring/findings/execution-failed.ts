import { call, defineFinding } from './rule.ts';

export const executionFailed = defineFinding('EXECUTION_FAILED', ({ facts: { status }, evidence }) => {
  if (status !== 'failed') return undefined;
  const { execution_id, status_reason, first_error } = evidence;
  const first =
    first_error === undefined
      ? ''
      : `; the first error, at ${first_error.timestamp} by ${first_error.agent}: ${first_error.message}`;
  return {
    severity: 'error',
    sentence: `The workflow could not go on: ${status_reason ?? 'no reason given'}${first}`,
    ids: first_error === undefined ? [] : [first_error.agent],
    next: call('list_logs', { execution_id, level: 'WARNING', order: 'oldest' }),
  };
});
