import { counted } from '../../lib/counted.ts';
import { call, defineFinding } from './rule.ts';

export const messagesWaiting = defineFinding('MESSAGES_WAITING', ({ facts, evidence: { waiting } }) => {
  // Nothing more comes for an ended execution.
  if (waiting.count === 0 || facts.status !== 'running') return undefined;
  return {
    severity: 'warning',
    sentence: `${counted(waiting.count, 'message')} ${waiting.count === 1 ? 'waits' : 'wait'} for something that has not come.`,
    ids: [...waiting.ids],
    next: call('list_messages', { message_id: waiting.ids[0] ?? '' }),
  };
});
