import type { Effect, EffectCode } from '../../domain/effects.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export const applied: Effect = { effect: 'applied' };

export const none = (code: EffectCode, reason: string): Effect => ({ effect: 'none', code, reason });

/** The message arrived before what it refers to. @param key as returned by `providedKey` */
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
 * Projects one message type: changes tables as stated in the message, and returns whether it did. The result
 * depends on the log alone: `at` is when the message happened (`happenedAt`), never the time of reading.
 */
export type Projection<T extends MessageType> = (
  message: Message<T>,
  context: { scope: Scope; at: string; tx: Transaction },
) => Effect;

/**
 * A function per message type. `run_workflow` is separate because it creates the execution that the others
 * belong to.
 */
export type Projections = { [T in Exclude<MessageType, 'run_workflow' | LogbookType>]: Projection<T> };

/** Projects a logbook entry. @param message self-contained; needs no execution */
export type LogbookProjection<T extends LogbookType> = (
  message: Message<T>,
  context: { at: string; tx: Transaction },
) => Effect;

/** Logbook entries apply to any execution, even an ended or observed one, or to none. */
export type LogbookProjections = { [T in LogbookType]: LogbookProjection<T> };

/**
 * Keys that messages wait for when they arrive before what they refer to, as deliveries over a broker may: a
 * file name, an attempt at a slice, or its failure. A message that provides a key releases the messages that
 * wait for it.
 */
export const attemptKey = (sliceFilename: string, attempt: number) => `attempt ${attempt} of ${sliceFilename}`;

export const failureKey = (sliceFilename: string, attempt: number) =>
  `the failure of attempt ${attempt} of ${sliceFilename}`;

/** The key that an applied message provides; undefined if nothing can wait for it. */
export function providedKey(message: Message): string | undefined {
  switch (message.msg_type) {
    case 'stf_gen':
      return message.filename;
    case 'tf_file_registered':
      return message.tf_filename;
    case 'slice':
      return attemptKey(message.slice_filename, message.attempt);
    case 'slice_result':
      return message.state === 'failed' ? failureKey(message.slice_filename, message.attempt) : undefined;
    default:
      return undefined;
  }
}
