import type { ExecutionParams } from '../../domain/params.ts';
import type { Message, MessageType } from '../../messages/vocabulary.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** What recording a message did to the other tables. */
export type Effect =
  | { effect: 'applied' }
  | {
      effect: 'none' | 'rejected' | 'conflict';
      reason: string;
      /** What it came before: when that is there, the message is read again (`awaits.ts`). */
      awaits?: string;
    };

export const applied: Effect = { effect: 'applied' };

export const none = (reason: string): Effect => ({ effect: 'none', reason });

/** The message came before what it refers to. */
export const awaiting = (key: string): Effect => ({ effect: 'none', reason: `waits for ${key}`, awaits: key });

/** The execution that a message belongs to: known, and running. */
export interface Scope {
  execution_id: string;
  run_number: number;
  params: ExecutionParams;
}

/**
 * The reading of one message type: changes tables by what the message says and says whether it did.
 * It depends on the log alone: `at` is when the message happened (`happenedAt`), never the time of reading.
 */
export type Projection<T extends MessageType> = (
  message: Message<T>,
  context: { scope: Scope; at: string; sql: Prepare },
) => Effect;
