import * as z from 'zod';

import { executionIdPattern, fileNamePattern, namePattern } from '../domain/names.ts';

/** Fields that several messages share, with their limits. */

/** File names from the wire (contract §3). None begins with a dot, so none is a folder. */
export const fileName = z
  .string()
  .max(255)
  .regex(fileNamePattern, 'must be a file name of letters, digits, ".", "_" and "-"');

export const text = z.string().min(1).max(1000);

export const index = z.int().nonnegative();

/** A word that becomes part of an execution's id. */
export const nameInId = z.string().regex(namePattern, 'must be up to 64 letters, digits, ".", "_" and "-"');

/** Paths may be long, and three times as long when they are escaped. */
export const fileUrl = z.string().max(16_000).optional();

export const daqState = { state: z.string().optional(), substate: z.string().optional() };

export const pauseFields = { ordinal: z.int().positive(), reason: z.enum(['period', 'operator']) };

export const sliceFields = {
  slice_id: index,
  slice_filename: fileName,
  tf_filename: fileName,
  attempt: z.int().positive(),
};

export const startFields = { ...sliceFields, worker_id: text };

/** `sha256:` and 64 hex digits; other programs have other sums. */
export const checksum = z.string().max(200);

/** A payload program by its name, and by the digest of its command where that is known. */
export const payloadName = z.object({ name: text, digest: z.string().max(200).optional() });

/** The facts that decide how a slice is worked on, so that a worker that knows nothing else does it rightly (contract §9). */
export const workFields = {
  speed: z.number().positive().optional(),
  slice_processing_time: z.number().nonnegative().optional(),
  tf_size_bytes: z.int().positive().optional(),
  /** Of the TF file. */
  checksum: checksum.optional(),
  /** Left out, it is the placeholder. */
  payload: payloadName.optional(),
  timeout_seconds: z.number().positive().optional(),
};

/** The driver's lease: the first driver of an execution has 1, each that takes it up the next number. */
export const epoch = z.int().positive();

/** The person in whose name a command was given, as the sender claims: nobody has checked it. */
export const claim = { claimed_by: z.string().min(1).max(100).optional().catch(undefined) };

/** Facts about a payload command. Another program's worker may mean something else by these names, so a wrong type is dropped. */
export const payloadFacts = {
  exit_code: z.int().optional().catch(undefined),
  signal: z.string().max(20).optional().catch(undefined),
  /** The end of its stdout and stderr, where it failed. */
  output_tail: z.string().max(10_000).optional().catch(undefined),
  outputs: z
    .array(z.object({ name: z.string(), size_bytes: index, checksum: z.string() }))
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
  simulation_tick: z.number().nonnegative().optional(),
};

export type Envelope = z.infer<z.ZodObject<typeof envelopeShape>>;
