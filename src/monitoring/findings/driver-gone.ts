import { agentsOf, defineFinding } from './rule.ts';

export const driverGone = defineFinding('DRIVER_GONE', ({ facts, evidence: { execution_id, driver } }) => {
  if (facts.status !== 'running' || driver === undefined || driver.alive) return undefined;
  const who = `process ${driver.pid} on ${driver.hostname}`;
  return {
    severity: 'error',
    sentence: `The driver, ${who}, is gone, last heard ${driver.last_beat}; nothing goes on until somebody runs "swf-mcp resume ${execution_id}".`,
    ids: [who],
    next: agentsOf(execution_id),
  };
});
