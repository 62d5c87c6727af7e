import { isShallow, maskText, maskValue } from '../body.ts';
import { type Fields, objectOf } from '../reading/values.ts';
import type { RestLine } from '../recording-lines.ts';
import { resourceOf, wasTaken } from './rest-call.ts';

/** A log line that a program sent to its monitor. `level` is Python's numeric level. */
export interface ToldLogLine {
  agent: string;
  level: number;
  message: string;
  execution_id: string | undefined;
  run_id: string | undefined;
  context: object;
}

const usualLevel = 20;

/** Longer contexts are left out. */
const maxContext = 20_000;

/** The text of a string or a number; undefined for any other value. */
export const textOf = (value: unknown) =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;

/** The line in the body of a POST to /api/logs/, or the name of the field that the body lacks. */
export function logLineOf(body: Fields): ToldLogLine | { lacks: string } {
  const { level, extra_data, instance_name, message, ...context } = body;
  const agent = textOf(instance_name);
  const text = textOf(message);
  if (agent === undefined) return { lacks: 'instance_name' };
  if (text === undefined) return { lacks: 'message' };
  const extra = objectOf(extra_data);
  const all = { ...context, ...extra };
  return {
    agent: agent.slice(0, 200),
    level: Number.isSafeInteger(level) ? Number(level) : usualLevel,
    message: maskText(text.slice(0, 20_000)),
    execution_id: textOf(extra['execution_id']),
    run_id: textOf(extra['run_id']),
    context: JSON.stringify(all).length > maxContext ? {} : all,
  };
}

/**
 * The log line in a recorded call, without secrets; undefined for any other call, and for a body that is
 * nested too deeply.
 */
export function logLineIn({ method, path, status, body }: RestLine): ToldLogLine | undefined {
  if (method !== 'POST' || resourceOf(path).resource !== 'logs' || !wasTaken(status) || !isShallow(body))
    return undefined;
  const line = logLineOf(objectOf(maskValue(body)));
  return 'lacks' in line ? undefined : line;
}

/**
 * How many of a program's last lines to search for a repeated line: a logger resends lines for which it got no
 * answer.
 */
export const resentWithin = 30;

/**
 * Returns a function to call with each line of a recording, in order; it returns whether the line repeats a
 * recent one.
 */
export function createResentTest(): (line: ToldLogLine) => boolean {
  const last = new Map<string, string[]>();
  return ({ agent, message, context }) => {
    const key = `${message} ${JSON.stringify(context)}`;
    const before = last.get(agent) ?? [];
    last.set(agent, [...before.slice(1 - resentWithin), key]);
    return before.includes(key);
  };
}
