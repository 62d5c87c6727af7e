import { agentsOf, defineFinding } from './rule.ts';

export const driverSilent = defineFinding('DRIVER_SILENT', ({ facts, evidence: { execution_id, driver } }) => {
  if (facts.status !== 'running' || driver === undefined || !driver.alive || !driver.silent) return undefined;
  const who = `process ${driver.pid} on ${driver.hostname}`;
  return {
    severity: 'error',
    sentence: `The driver, ${who}, lives but has not been heard since ${driver.last_sign}: it is stopped, or its machine is overwhelmed. Nothing goes on. "kill -CONT ${driver.pid}" there wakes one that was stopped; otherwise end it, and run "swf-mcp resume ${execution_id}".`,
    ids: [who],
    next: agentsOf(execution_id),
  };
});
