import type { Effect, EffectCode } from '../../domain/effects.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export const applied: Effect = { effect: 'applied' };

export const none = (code: EffectCode, reason: string): Effect => ({ effect: 'none', code, reason });

/** The message came before what it refers to. @param key as `awaits.ts` makes it */
export function awaiting(key: string): Effect {
  return { effect: 'none', code: 'WAITS', reason: `waits for ${key}`, awaits: key };
}

/** The execution that a message belongs to: known, and running. */
export interface Scope {
  execution_id: string;
  run_number: number;
  params: ExecutionParams;
}

/**
 * Projects one message type: changes tables as the message says, and returns whether it did. The result depends on the log alone: `at` is when
 * the message happened (`happenedAt`), never the time of reading.
 */
export type Projection<T extends MessageType> = (
  message: Message<T>,
  context: { scope: Scope; at: string; tx: Transaction },
) => Effect;

/** Projects a logbook entry. @param message complete by itself; needs no execution */
export type LogbookProjection<T extends LogbookType> = (
  message: Message<T>,
  context: { at: string; tx: Transaction },
) => Effect;
