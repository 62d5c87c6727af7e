import { claimedName } from '../../lib/claimed-name.ts';
import type { Evidence } from '../evidence.ts';
import { call, defineFinding } from './rule.ts';

/** Says who paused an execution, when and why. */
export const pauseSentence = (by: Evidence['paused_by']): string =>
  by === undefined
    ? 'An operator paused it'
    : `${claimedName(by.name, by.sent_by)} paused it at ${by.time}${by.reason === undefined ? '' : ` (${by.reason})`}`;

export const paused = defineFinding('PAUSED', ({ facts, evidence: { execution_id, paused_by } }) => {
  const { status, phase, isHeld, driver } = facts;
  const isAnswering = driver === undefined || (driver.alive && !driver.silent);
  if (status !== 'running' || !isHeld || !isAnswering) return undefined;
  // A pause between two periods is the standby itself.
  const where = phase === 'standby' ? '' : ` in phase ${phase}`;
  return {
    severity: 'info',
    sentence: `${pauseSentence(paused_by)}${where}; "swf-mcp continue ${execution_id}" lets it go on.`,
    ids: [execution_id],
    next: call('list_messages', { execution_id, message_type: 'pause_workflow' }),
  };
});
