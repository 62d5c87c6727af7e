import { wireHash } from '../../messages/identity.ts';
import type { Statement } from '../reading/fact.ts';
import { restOf } from './rest-call.ts';

/** Hexadecimal digits of a hash that tell messages apart. */
const digits = 16;

/** The id of a heard message or a REST write: a function of the message alone, so every recording of it has the same id. */
export function heardId(statement: Statement, destination: string, body: string): string {
  const { message_type, namespace = '', run_id = 'none' } = statement;
  const rest = restOf(destination);
  if (rest !== undefined)
    return `told/${rest.method}${rest.path.slice(0, -1)}/${wireHash(rest.path, body).slice(0, digits)}`;
  return `heard/${run_id}/${message_type}/${wireHash(`${destination}\n${namespace}`, body).slice(0, digits)}`;
}
