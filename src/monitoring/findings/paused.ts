import { claimedName } from '../../lib/claimed-name.ts';
import { call, defineFinding } from './rule.ts';

export const paused = defineFinding('PAUSED', ({ facts, evidence: { execution_id, paused_by } }) => {
  const { status, phase, isHeld, driver } = facts;
  const isAnswering = driver === undefined || (driver.alive && !driver.silent);
  if (status !== 'running' || !isHeld || !isAnswering) return undefined;
  return {
    severity: 'info',
    sentence: `${paused_by === undefined ? 'An operator' : claimedName(paused_by.name, paused_by.sent_by)} has paused it${paused_by === undefined ? '' : ` at ${paused_by.time}`}${paused_by?.reason === undefined ? '' : ` (${paused_by.reason})`} in phase ${phase}; "swf-mcp continue ${execution_id}" lets it go on.`,
    ids: [execution_id],
    next: call('list_messages', { execution_id, message_type: 'pause_workflow' }),
  };
});
