import type { Message } from '../../messages/vocabulary.ts';

/**
 * What messages wait for that come before what they refer to, as deliveries over a broker may: a file by its name, an
 * attempt at a slice, or its failure. Whoever makes one of these lets the messages that wait for it take effect.
 */
export const attemptKey = (sliceFilename: string, attempt: number): string => `attempt ${attempt} of ${sliceFilename}`;

export const failureKey = (sliceFilename: string, attempt: number): string =>
  `the failure of attempt ${attempt} of ${sliceFilename}`;

/** What a message that had an effect has brought, that others may wait for. */
export function provided(message: Message): string | undefined {
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
