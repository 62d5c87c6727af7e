import * as z from 'zod';

import { type Counts, countNames } from '../domain/counts.ts';
import { byteCount, checksum, fileName, index, maxNumber, positive, seconds, text } from './fields.ts';

/** Groups of fields that belong together, of one message or of several. */

export const countFields = Object.fromEntries(countNames.map((name) => [name, index])) as {
  [Name in keyof Counts]: typeof index;
};

export const daqState = { state: z.string().max(200).optional(), substate: z.string().max(200).optional() };

export const sliceFields = { slice_id: index, slice_filename: fileName, tf_filename: fileName, attempt: positive };

export const attemptFields = { ...sliceFields, worker_id: text };

/** Where a file is. Paths may be long, and three times as long when escaped. */
export const located = { file_url: z.string().max(16_000).optional() };

/** A payload program by its name, and the digest of its command if known. */
const payloadName = z.object({ name: text, digest: z.string().max(200).optional() });

/** The facts that decide how a slice is processed, enough for a worker that knows nothing else. */
export const workFields = {
  speed: z.number().positive().max(1_000_000).optional(),
  slice_processing_time: seconds.optional(),
  tf_size_bytes: positive.optional(),
  /** The TF file's checksum. */
  checksum: checksum.optional(),
  /** The placeholder if left out. */
  payload: payloadName.optional(),
  timeout_seconds: seconds.positive().optional(),
};

/** The person for whom a command was given, as the sender claims: the name is not verified. */
export const claim = { claimed_by: z.string().min(1).max(100).optional().catch(undefined) };

/** Facts about a payload command. Another program's worker may mean something else by these names, so a wrong type is dropped. */
export const payloadFacts = {
  exit_code: z.int().min(-maxNumber).max(maxNumber).optional().catch(undefined),
  signal: z.string().max(20).optional().catch(undefined),
  /** The end of its stdout and stderr, if it failed. */
  output_tail: z.string().max(10_000).optional().catch(undefined),
  outputs: z
    .array(z.object({ name: z.string().max(4096), size_bytes: byteCount, checksum }))
    .max(100)
    .optional()
    .catch(undefined),
  /** Files that were written and are not listed. */
  outputs_omitted: index.optional().catch(undefined),
};
