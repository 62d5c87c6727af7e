import { defineFinding } from './rule.ts';

export const paused = defineFinding('PAUSED', ({ facts, evidence: { execution_id } }) => {
  const { status, phase, isHeld, driver } = facts;
  const isAnswering = driver === undefined || (driver.alive && !driver.silent);
  if (status !== 'running' || !isHeld || !isAnswering) return undefined;
  return {
    severity: 'info',
    sentence: `An operator has paused it in phase ${phase}; "swf-mcp continue ${execution_id}" lets it go on.`,
    ids: [execution_id],
    next: { tool: 'list_messages', arguments: { execution_id, message_type: 'pause_workflow' } },
  };
});
