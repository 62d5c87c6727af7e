import type { ExecutionParams } from '../domain/params.ts';
import type { AgentType } from '../domain/states.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/vocabulary.ts';
import type { Reading } from './ports.ts';

/**
 * What an agent is: a function from a message to messages. It keeps nothing in memory that it would need after a restart
 * and touches nothing but its context, which makes real time, simulation, tests and recovery the same code.
 */
export interface AgentContext {
  readonly execution_id: string;
  readonly run_number: number;
  readonly params: ExecutionParams;
  readonly files: DataFiles;
  /** A recorded message by its id. */
  message(id: string): Message | undefined;
  /** A line for the log; it is recorded with the step that it belongs to. */
  log(line: LogLine): void;
}

export interface Agent {
  readonly type: AgentType;
  /** The messages that it is given, in the order of the log and only where they had an effect. */
  readonly reads: readonly Reading[];
  handle(message: Message, context: AgentContext): Draft[] | Promise<Draft[]>;
}
