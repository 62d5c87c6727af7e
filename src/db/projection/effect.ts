import type { Effect, EffectCode } from '../../domain/effects.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import type { LogbookType } from '../../messages/logbook.ts';
import type { Message } from '../../messages/message.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export const applied: Effect = { effect: 'applied' };

export const none = (code: EffectCode, reason: string): Effect => ({ effect: 'none', code, reason });

/**
 * The effect of a message that arrived before the message it refers to.
 * @param key as `providedKey` returns it
 */
export function awaiting(key: string): Effect {
  return { effect: 'none', code: 'WAITS', reason: `waits for ${key}`, awaits: key };
}

/** The execution to which a message belongs, if it is known and running. */
export interface Scope {
  execution_id: string;
  run_number: number;
  params: ExecutionParams;
}

/**
 * Projects messages of one type: changes the tables according to the message, and returns the effect. Both
 * depend only on the log: `at` is when the message's event happened (`happenedAt`), never the time of reading.
 */
export type Projection<T extends MessageType> = (
  message: Message<T>,
  context: { scope: Scope; at: string; tx: Transaction },
) => Effect;

/**
 * One function for each message type except `run_workflow`, which creates the execution that the other
 * messages belong to.
 */
export type Projections = { [T in Exclude<MessageType, 'run_workflow' | LogbookType>]: Projection<T> };

/** Projects a logbook entry. @param message an entry that needs no execution */
export type LogbookProjection<T extends LogbookType> = (
  message: Message<T>,
  context: { at: string; tx: Transaction },
) => Effect;

/** Logbook entries may be about any execution, even an ended or observed one, or about none. */
export type LogbookProjections = { [T in LogbookType]: LogbookProjection<T> };

/**
 * Keys for which messages wait if they arrive before the message they refer to, as may happen over a broker. A
 * key names a file, an attempt at a slice, or the failure of an attempt. A message that provides a key releases
 * the messages that wait for it.
 */
export const attemptKey = (sliceFilename: string, attempt: number) => `attempt ${attempt} of ${sliceFilename}`;

export const failureKey = (sliceFilename: string, attempt: number) =>
  `the failure of attempt ${attempt} of ${sliceFilename}`;

/** The key that an applied message provides; undefined if no message can wait for it. */
export function providedKey(message: Message) {
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
