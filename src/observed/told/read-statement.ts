import { fieldsOf } from '../namespace-filter.ts';
import type { Statement } from '../reading/fact.ts';
import { readMessage } from '../reading/read-message.ts';
import type { MessageLine } from '../recording-lines.ts';
import { readTold } from './read-told.ts';
import { restOf } from './rest-call.ts';

/** Parses a row of the log made by other programs: a message, or a REST write to their monitor. Never throws. */
export function readStatement(line: MessageLine): Statement {
  const rest = restOf(line.destination);
  return rest === undefined ? readMessage(line) : readTold({ ...rest, headers: line.headers, body: fieldsOf(line) });
}
