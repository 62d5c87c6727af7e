import { call, defineFinding } from './rule.ts';

export const stopPending = defineFinding('STOP_PENDING', ({ facts, evidence }) => {
  const { execution_id, pending_stop, driver } = evidence;
  if (facts.status !== 'running' || pending_stop === undefined) return undefined;
  const { name, time, reason } = pending_stop;
  const why = reason === undefined ? '' : ` (${reason})`;
  const waits =
    driver?.alive === true
      ? `process ${driver.pid} on ${driver.hostname} has not taken it up`
      : 'no process drives the execution that could take it up';
  return {
    severity: 'warning',
    sentence: `${name} asked for a stop at ${time}${why}, and it has had no effect yet: ${waits}.`,
    next: call('list_messages', { execution_id, message_type: 'stop_workflow' }),
  };
});
