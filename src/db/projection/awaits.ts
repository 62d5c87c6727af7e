import type { Message } from '../../messages/message.ts';

/**
 * Keys that messages wait for when they come before what they refer to, as deliveries over a broker may: a file name, an attempt at a slice, or
 * its failure. A message that provides a key releases the messages that wait for it.
 */
export const attemptKey = (sliceFilename: string, attempt: number): string => `attempt ${attempt} of ${sliceFilename}`;

export const failureKey = (sliceFilename: string, attempt: number): string =>
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
