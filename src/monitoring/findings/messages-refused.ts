import { counted } from '../../lib/counted.ts';
import { call, defineFinding } from './rule.ts';

export const messagesRefused = defineFinding('MESSAGES_REFUSED', ({ evidence: { execution_id, refused } }) => {
  if (refused.count === 0) return undefined;
  return {
    severity: 'warning',
    sentence: `${counted(refused.count, 'message')} could not be read or contradict earlier ones, and changed nothing; list_messages(execution_id="${execution_id}", effect="rejected" or "conflict") has them all.`,
    ids: [...refused.ids],
    next: call('list_messages', { message_id: refused.ids[0] ?? '' }),
  };
});
