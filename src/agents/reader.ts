import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Bus } from '../bus/bus.ts';
import type { Draft, Message } from '../bus/messages.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { LogLine } from '../log.ts';
import type { Journal, LoggedMessage } from '../workflow/journal.ts';
import type { Agent, AgentContext } from './agent.ts';

/** The surroundings that an agent of this process works in. */
export interface Workplace {
  context: Omit<AgentContext, 'log'>;
  journal: Journal;
  bus: Bus;
  clock: Clock;
  signal: AbortSignal;
}

/** Nothing queues in memory: this many messages of the log are taken at a time. */
const batchSize = 256;

/** An agent that fails this often on one message cannot go on; what it does next is up to the driver. */
const tries = 3;

/** An agent gave up on a message. */
export class AgentFailure extends Error {
  readonly filename: string | undefined;

  constructor(agent: string, message: Message, cause: unknown) {
    super(`${agent} failed ${tries} times on ${message.msg_type}: ${messageOf(cause)}`, { cause });
    this.filename = 'filename' in message ? message.filename : undefined;
  }
}

/**
 * Lets an agent read the log after its cursor until `signal` is aborted. Each message with its consequences is one step.
 * Throws `AgentFailure` when the agent keeps failing on a message.
 */
export async function runReader(agent: Agent, name: string, workplace: Workplace): Promise<void> {
  const { journal, bus, signal } = workplace;
  const types = new Set(agent.reads);
  let cursor = journal.cursor(agent.type);
  // The cursor moves with steps only; what was looked at and is for others need not be looked at again.
  let seen = cursor;
  while (!signal.aborted) {
    const batch = journal.read(agent.reads, seen, batchSize);
    for (const logged of batch.messages) {
      if (signal.aborted) return;
      const recorded = await takeStep(agent, name, logged, cursor, workplace);
      cursor = recorded ? logged.seq : journal.cursor(agent.type);
    }
    seen = Math.max(batch.seen, cursor);
    if (batch.messages.length === 0) await bus.news(signal, types);
    else await nextTurn();
  }
}

async function takeStep(
  agent: Agent,
  name: string,
  logged: LoggedMessage,
  cursor: number,
  workplace: Workplace,
): Promise<boolean> {
  const { journal, clock } = workplace;
  if (logged.seq <= cursor) return false;
  const logs: LogLine[] = [];
  const says = await handlePatiently(agent, name, logged.message, workplace, logs);
  return journal.step({
    sender: name,
    tick: clock.now(),
    says,
    logs,
    cursor: { role: agent.type, from: cursor, to: logged.seq },
  });
}

async function handlePatiently(
  agent: Agent,
  name: string,
  message: Message,
  { context }: Workplace,
  logs: LogLine[],
): Promise<Draft[]> {
  for (let attempt = 1; ; attempt += 1) {
    logs.length = 0;
    try {
      return await agent.handle(message, { ...context, log: (line) => logs.push(line) });
    } catch (error) {
      if (attempt === tries) throw new AgentFailure(name, message, error);
    }
  }
}
