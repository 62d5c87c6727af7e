import { insertToldLine } from '../../db/stand-in/log-lines.ts';
import { logLineOf } from '../../observed/told/log-line.ts';
import { without } from '../objects/fields.ts';
import type { Call } from './call.ts';

/** A log line: their logger sends no token. */
export const logs: Call = {
  method: 'POST',
  path: 'logs',
  isOpen: true,
  answer(tx, { body, at }) {
    const line = logLineOf(body);
    if ('lacks' in line) return without(line.lacks);
    return { status: 201, body: { id: insertToldLine(tx, line, at) } };
  },
};
