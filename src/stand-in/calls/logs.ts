import { insertToldLine } from '../../db/stand-in/log-lines.ts';
import { maskText } from '../../observed/masking.ts';
import { objectOf } from '../../observed/reading/values.ts';
import { textOf, without } from '../objects/fields.ts';
import type { Call } from './call.ts';

/** Python's number for it. */
const info = 20;

/** A longer context of a line is left out. */
const maxContext = 20_000;

const bounded = (context: object): object => (JSON.stringify(context).length > maxContext ? {} : context);

/** A log line: their logger sends no token. */
export const logs: Call = {
  method: 'POST',
  path: 'logs',
  isOpen: true,
  answer(tx, { body, at }) {
    const [agent, message] = [textOf(body['instance_name']), textOf(body['message'])];
    if (agent === undefined) return without('instance_name');
    if (message === undefined) return without('message');
    const { level, extra_data, instance_name: _, message: __, ...context } = body;
    const extra = objectOf(extra_data);
    const id = insertToldLine(
      tx,
      {
        agent: agent.slice(0, 200),
        level: Number.isSafeInteger(level) ? Number(level) : info,
        message: maskText(message.slice(0, 20_000)),
        execution_id: textOf(extra['execution_id']),
        run_id: textOf(extra['run_id']),
        context: bounded({ ...context, ...extra }),
      },
      at,
    );
    return { status: 201, body: { id } };
  },
};
