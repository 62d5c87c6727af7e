import { call } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

const named = 3;

export const contractBroken = defineObserved('CONTRACT_BROKEN', ({ execution_id, broken_keys }) => {
  if (broken_keys.length === 0) return undefined;
  const words = broken_keys
    .slice(0, named)
    .map(
      ({ sender, message_type, key, missing, of }) =>
        `${missing} of ${of} ${message_type} messages of ${sender} lack ${key}`,
    );
  const more = broken_keys.length > named ? `, and ${broken_keys.length - named} other keys are missing elsewhere` : '';
  const ids = broken_keys.flatMap(({ example }) => example ?? []).slice(0, named);
  const [example] = ids;
  return {
    severity: 'warning',
    sentence: `${words.join('; ')}${more}. Their senders fill these keys in other messages.`,
    ids,
    next:
      example === undefined ? call('list_messages', { execution_id }) : call('list_messages', { message_id: example }),
  };
});
