import { insertToldLine } from '../../db/stand-in/log-lines.ts';
import { sha256 } from '../../lib/sha256.ts';
import { maskText, maskValue } from '../../observed/masking.ts';
import { textOf } from '../objects/fields.ts';
import type { Call } from './call.ts';

/** Lines that are kept in mind, so that one which is sent again is not there twice. */
const mostRemembered = 5000;

const remembered = new Map<string, number>();

/** A line of a log: their logger sends no token. */
export const logs: Call = {
  method: 'POST',
  path: 'logs',
  isOpen: true,
  answer(tx, { body, at }) {
    const [agent, message] = [textOf(body['instance_name']), textOf(body['message'])];
    if (agent === undefined || message === undefined) {
      const missing = agent === undefined ? 'instance_name' : 'message';
      return { status: 400, body: { [missing]: ['This field is required.'] } };
    }
    const digest = sha256().update(JSON.stringify(body)).digest('hex');
    const known = remembered.get(digest);
    if (known !== undefined) return { status: 201, body: { id: known } };
    const { level, extra_data, instance_name: _, message: __, ...context } = body;
    const extra = typeof extra_data === 'object' && extra_data !== null ? (extra_data as Record<string, unknown>) : {};
    const id = insertToldLine(
      tx,
      {
        agent: agent.slice(0, 200),
        level: typeof level === 'number' && Number.isInteger(level) ? level : 20,
        message: maskText(message.slice(0, 20_000)),
        execution_id: textOf(extra['execution_id']),
        run_id: textOf(extra['run_id']),
        context: maskValue({ ...context, ...extra }) as object,
      },
      at,
    );
    remembered.set(digest, id);
    const [oldest] = remembered.keys();
    if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    return { status: 201, body: { id } };
  },
};
