import * as z from 'zod';

import { type Counts, countNames } from '../domain/counts.ts';
import { executionIdPattern, fileNamePattern, namePattern } from '../domain/names.ts';

/** Fields that several messages share. Every number and text has a limit: values beyond it are rejected, and sums of values within never overflow. */

/** File names from the wire. They never begin with a dot, so none is a folder. */
export const fileName = z
  .string()
  .max(255)
  .regex(fileNamePattern, 'must be a file name of letters, digits, ".", "_" and "-"');

export const text = z.string().min(1).max(1000);

/** A sentence of a person or a program, which may quote others. */
export const sentence = z.string().max(20_000);

/** A limit for frames, slices and counts that nobody will reach. */
const most = 2_147_483_647;

export const index = z.int().nonnegative().max(most);

/** The same from 1. */
export const positive = z.int().positive().max(most);

export const countFields = Object.fromEntries(countNames.map((name) => [name, index])) as {
  [Name in keyof Counts]: typeof index;
};

/** Bytes of a file: ten terabytes at most. */
export const byteCount = z.int().nonnegative().max(10_000_000_000_000);

/** Seconds: thirty years at most. */
export const seconds = z.number().nonnegative().max(1_000_000_000);

/** A word that becomes part of an execution's id. */
export const nameInId = z.string().regex(namePattern, 'must be up to 64 letters, digits, ".", "_" and "-"');

/** Paths may be long, and three times as long when escaped. */
export const fileUrl = z.string().max(16_000).optional();

export const daqState = { state: z.string().max(200).optional(), substate: z.string().max(200).optional() };

export const pauseFields = { ordinal: positive, reason: z.enum(['period', 'operator']) };

export const sliceFields = { slice_id: index, slice_filename: fileName, tf_filename: fileName, attempt: positive };

export const startFields = { ...sliceFields, worker_id: text };

/** `sha256:` and 64 hex digits; other programs have other checksums. */
export const checksum = z.string().max(200);

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

/** The driver's lease: an execution's first driver has 1, each driver that resumes it the next number. */
export const epoch = positive;

/** The person on whose behalf a command was given, as the sender claims: nobody has checked it. */
export const claim = { claimed_by: z.string().min(1).max(100).optional().catch(undefined) };

/** Facts about a payload command. Another program's worker may mean something else by these names, so a wrong type is dropped. */
export const payloadFacts = {
  exit_code: z.int().min(-most).max(most).optional().catch(undefined),
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

/** The fields that every message carries besides its own. */
export const envelopeShape = {
  message_id: z.string().optional(),
  sender: z.string().min(1).max(200),
  namespace: z.string().min(1).max(200),
  execution_id: z
    .string()
    .max(200)
    .regex(executionIdPattern, 'must be an id of letters, digits, ".", "_" and "-"')
    .optional(),
  run_id: z.string().min(1).max(50).optional(),
  timestamp: z.string().max(100).optional(),
  simulation_tick: seconds.optional(),
};

export type Envelope = z.infer<z.ZodObject<typeof envelopeShape>>;
