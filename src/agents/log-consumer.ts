import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Clock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Bus } from '../messages/notifier.ts';
import type { Draft, Message } from '../messages/vocabulary.ts';
import type { Agent, AgentContext } from './agent.ts';
import type { Journal, LoggedMessage } from './ports.ts';

/** The surroundings that an agent of this process works in. */
export interface Workplace {
  context: Omit<AgentContext, 'log'>;
  journal: Journal;
  bus: Bus;
  clock: Clock;
  signal: AbortSignal;
  /** Aborted when nothing more will come: who reads the log reads what is there and ends. */
  finishing?: AbortSignal;
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

/** How far a reader is, in the log or among the messages that took effect late. */
interface Place {
  /** The name of the cursor. */
  role: string;
  /** The recorded cursor, which moves with steps only. */
  cursor: number;
  /** What was looked at and is for others, or had no consequences, need not be looked at again by this process. */
  seen: number;
  /** Messages without consequences behind the cursor. */
  skipped: number;
}

/**
 * Lets an agent read the log after its cursor until `signal` is aborted. Each message with its consequences is one step.
 * Throws `AgentFailure` when the agent keeps failing on a message, `DATA_UNAVAILABLE` when the disk gives out.
 */
export async function runReader(agent: Agent, name: string, workplace: Workplace): Promise<void> {
  const { journal, bus, signal, finishing = signal } = workplace;
  const news = AbortSignal.any([signal, finishing]);
  const types = new Set(agent.reads.map((reading) => (typeof reading === 'string' ? reading : reading.msg_type)));
  const placeOf = (role: string): Place => {
    const cursor = journal.cursor(role);
    return { role, cursor, seen: cursor, skipped: 0 };
  };
  const place = placeOf(agent.type);
  const latePlace = placeOf(`${agent.type}/late`);
  while (!signal.aborted) {
    const mark = bus.mark(types);
    const batch = journal.read(agent.reads, place.seen, batchSize);
    place.seen = batch.seen;
    await takeBatch(agent, name, { messages: batch.messages, place }, workplace);
    const late = journal.readLate(agent.reads, latePlace.seen, batchSize);
    latePlace.seen = late.seen;
    await takeBatch(agent, name, { messages: late.messages, place: latePlace }, workplace);
    if (finishing.aborted && batch.messages.length === 0 && late.messages.length === 0) return;
    if (batch.messages.length < batchSize && late.messages.length < batchSize) await bus.news(news, types, mark);
    else await nextTurn();
  }
}

/**
 * Handles messages one after the other. Their steps are recorded in the same order, each from where the one before has put
 * the cursor, so that one that is refused refuses those behind it; they are not waited for singly, so they share commits.
 */
async function takeBatch(
  agent: Agent,
  name: string,
  { messages, place }: { messages: LoggedMessage[]; place: Place },
  workplace: Workplace,
): Promise<void> {
  const { journal, clock, signal } = workplace;
  const steps: Promise<boolean>[] = [];
  let hasFailed = false;
  const step = (to: number, says: Draft[], logs: LogLine[]): void => {
    const cursor = { role: place.role, from: place.cursor, to };
    const recording = journal.step({ sender: name, tick: clock.now(), says, logs, cursor });
    // It is waited for below; until then a failure must not look like one that nobody waits for.
    recording.catch(() => {
      hasFailed = true;
    });
    steps.push(recording);
    place.cursor = to;
    place.skipped = 0;
  };
  try {
    for (const { seq, message } of messages) {
      if (signal.aborted || hasFailed) break;
      if (seq <= place.cursor) continue;
      const logs: LogLine[] = [];
      const says = await handlePatiently(agent, name, message, workplace, logs);
      place.skipped += 1;
      // Where there is nothing to record, the cursor may stay behind a while: to read such messages again does nothing.
      if (says.length > 0 || logs.length > 0 || place.skipped >= batchSize) step(seq, says, logs);
    }
  } finally {
    // What has been handed in is recorded, whatever happens to those behind it.
    const recorded = await Promise.all(steps);
    // Another process does the same work: what it has done is done.
    if (recorded.includes(false)) place.cursor = place.seen = journal.cursor(place.role);
  }
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
      // What can be mended outside is nothing that the message does.
      if (error instanceof SwfError) throw error;
      if (attempt === tries) throw new AgentFailure(name, message, error);
    }
  }
}
