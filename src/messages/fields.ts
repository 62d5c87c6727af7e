import * as z from 'zod';

import { executionIdPattern, fileNamePattern, namePattern } from '../domain/names.ts';

/**
 * Single fields, with their limits. Every number and text from a wire has a limit: values beyond it are rejected with the
 * reason, and sums of values within it never overflow an answer.
 */

/** File names from the wire. They never begin with a dot, so none is a folder. */
export const fileName = z
  .string()
  .max(255)
  .regex(fileNamePattern, 'must be a file name of letters, digits, ".", "_" and "-"');

export const text = z.string().min(1).max(1000);

/** A sentence of a person or a program, which may quote others. */
export const sentence = z.string().max(20_000);

/** A limit for frames, slices and counts that nobody will reach. */
export const maxNumber = 2_147_483_647;

export const index = z.int().nonnegative().max(maxNumber);

/** The same from 1. */
export const positive = z.int().positive().max(maxNumber);

/** Bytes of a file: ten terabytes at most. */
export const byteCount = z.int().nonnegative().max(10_000_000_000_000);

/** Seconds: thirty years at most. */
export const seconds = z.number().nonnegative().max(1_000_000_000);

/** A word that becomes part of an execution's id. */
export const nameInId = z.string().regex(namePattern, 'must be up to 64 letters, digits, ".", "_" and "-"');

/** `sha256:` and 64 hex digits; other programs have other checksums. */
export const checksum = z.string().max(200);

/** The driver's lease: an execution's first driver has 1, each driver that resumes it the next number. */
export const epoch = positive;

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
