import { call, defineFinding } from './rule.ts';

export const driverSilent = defineFinding('DRIVER_SILENT', ({ facts, evidence: { execution_id, driver } }) => {
  if (facts.status !== 'running' || driver === undefined || !driver.alive || !driver.silent) return undefined;
  const who = `process ${driver.pid} on ${driver.hostname}`;
  return {
    severity: 'error',
    sentence: `The driver, ${who}, lives but has not been heard since ${driver.last_sign}: the process is suspended, or its machine is overloaded. Nothing goes on. "kill -CONT ${driver.pid}" there wakes a suspended one; otherwise end it, and run "swf-mcp resume ${execution_id}".`,
    ids: [who],
    next: call('list_agents', { execution_id }),
  };
});
