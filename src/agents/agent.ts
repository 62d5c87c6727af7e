import type { ExecutionParams } from '../domain/params.ts';
import type { PayloadName } from '../domain/slice-returns.ts';
import type { AgentType } from '../domain/states.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import type { Lifetime } from '../lib/lifetime.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { Notifier } from '../messages/notifier.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { Journal, Reading } from './ports.ts';

/** The facts that decide how a slice is processed, which are the same for all slices of an execution. */
type SliceConditions = Pick<Draft<'slice'>, 'speed' | 'slice_processing_time' | 'tf_size_bytes' | 'timeout_seconds'>;

/** The part of an execution that an agent sees. */
export interface AgentContext {
  readonly execution_id: string;
  readonly run_number: number;
  readonly params: ExecutionParams;
  readonly files: DataFiles;
  /** Facts that a slice sent over a broker contains besides its frames, for workers that have no other source. */
  readonly conditions?: SliceConditions | undefined;
  /** The payload that slices require; undefined for the placeholder. */
  readonly payload?: PayloadName | undefined;
  message(id: string): Message | undefined;
  /** Adds a log line, which is recorded with the agent's step. */
  log(line: LogLine): void;
}

export interface AgentRole {
  readonly type: AgentType;
  readonly emits: readonly MessageType[];
  /** Whether the agent makes files that others read. */
  readonly makesFiles?: boolean;
}

/**
 * An agent is a function from a message to messages. It keeps nothing in memory that it would need after a
 * restart and touches nothing but its context, so real time, simulation, tests and recovery run the same
 * code.
 */
export interface Agent extends AgentRole {
  /** The messages that the agent receives, in log order, and only those that had an effect. */
  readonly reads: readonly Reading[];
  handle(message: Message, context: AgentContext): Draft[] | Promise<Draft[]>;
}

/** An execution as seen by the parts of this process. */
export interface ExecutionContext {
  agent: Omit<AgentContext, 'log'>;
  journal: Journal;
  notifier: Notifier;
  clock: Clock;
  /**
   * Draining: nothing more is added, so a consumer reads to the end of the log and ends. Stopped: everything
   * ends.
   */
  lifetime: Pick<Lifetime, 'draining' | 'stopped'>;
}

export const typesRead = ({ reads }: Agent) =>
  new Set(reads.map((reading) => (typeof reading === 'string' ? reading : reading.msg_type)));

/** After how many failures in a row an agent gives up on a message. The driver decides what happens then. */
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
 * Lets an agent handle a message and retries failures. Throws `AgentFailure` if the agent keeps failing.
 * Rethrows `SwfError` immediately: it reports a problem that a person can fix, so the message is not at fault.
 * @param lines collects the log lines of the successful attempt
 */
export async function handlePatiently(
  { agent, name }: { agent: Agent; name: string },
  message: Message,
  context: Omit<AgentContext, 'log'>,
  lines: LogLine[],
) {
  for (let attempt = 1; ; attempt += 1) {
    lines.length = 0;
    try {
      return await agent.handle(message, Object.assign({}, context, { log: (line: LogLine) => void lines.push(line) }));
    } catch (error) {
      if (error instanceof SwfError) throw error;
      if (attempt === tries) throw new AgentFailure(name, message, error);
    }
  }
}
