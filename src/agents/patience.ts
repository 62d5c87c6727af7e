import { messageOf, SwfError } from '../lib/errors.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { Agent, AgentContext } from './agent.ts';

/** An agent gives up on a message after this many failures. The driver decides what happens then. */
const tries = 3;

/** An agent gave up on a message. */
export class AgentFailure extends Error {
  /** The file that the message is about, if any. */
  readonly filename: string | undefined;

  constructor(agent: string, message: Message, cause: unknown) {
    super(`${agent} failed ${tries} times on ${message.msg_type}: ${messageOf(cause)}`, { cause });
    this.filename = 'filename' in message ? message.filename : undefined;
  }
}

/**
 * Lets an agent handle a message and retries failures. Throws `AgentFailure` if it keeps failing. Rethrows `SwfError` at once: a problem that can be
 * fixed outside is not the message's fault.
 * @param lines collects the log lines of the try that counts
 */
export async function handlePatiently(
  { agent, name }: { agent: Agent; name: string },
  message: Message,
  context: Omit<AgentContext, 'log'>,
  lines: LogLine[],
): Promise<Draft[]> {
  for (let attempt = 1; ; attempt += 1) {
    lines.length = 0;
    try {
      return await agent.handle(message, { ...context, log: (line: LogLine) => void lines.push(line) });
    } catch (error) {
      if (error instanceof SwfError) throw error;
      if (attempt === tries) throw new AgentFailure(name, message, error);
    }
  }
}
