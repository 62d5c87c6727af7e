import { wireHash } from '../../messages/identity.ts';
import type { Statement } from './fact.ts';

/** The id of a message that was heard: a function of the message alone, so every recording of it has the same id. */
export const heardId = (
  { message_type, namespace = '', run_id = 'none' }: Statement,
  { destination, body }: { destination: string; body: string },
): string => `heard/${run_id}/${message_type}/${wireHash(`${destination}\n${namespace}`, body).slice(0, 16)}`;
