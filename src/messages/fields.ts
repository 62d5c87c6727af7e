import * as z from 'zod';

import { type Counts, countNames } from '../domain/counts.ts';
import { executionIdPattern, fileNamePattern, namePattern } from '../domain/names.ts';
import type { DestinationName } from './destinations.ts';

/**
 * Single fields, with their limits. Every number and text from the network has a limit: values beyond it are
 * rejected with the reason. Sums of accepted values never exceed what an answer can hold.
 */

/** File names from the network. They never begin with a dot, so none is `.` or `..`. */
export const fileName = z
  .string()
  .max(255)
  .regex(fileNamePattern, 'must be a file name of letters, digits, ".", "_" and "-"');

export const text = z.string().min(1).max(1000);

/** A sentence from a person or a program. It may quote other texts, so it may be long. */
export const sentence = z.string().max(20_000);

/** A limit on frame numbers, slice numbers and counts; no run comes near it. */
const maxNumber = 2_147_483_647;

export const index = z.int().nonnegative().max(maxNumber);

/** A whole number from 1 to `maxNumber`. */
export const positive = z.int().positive().max(maxNumber);

/** The size of a file in bytes, up to ten terabytes. */
export const byteCount = z.int().nonnegative().max(10_000_000_000_000);

/** Seconds, up to thirty years. */
export const seconds = z.number().nonnegative().max(1_000_000_000);

/** A word that becomes part of an execution's id. */
export const nameInId = z.string().regex(namePattern, 'must be up to 64 letters, digits, ".", "_" and "-"');

/** `sha256:` and 64 hex digits; other programs use other checksums. */
export const checksum = z.string().max(200);

/**
 * The epoch of the driver's lease: 1 for an execution's first driver, and one more for each driver that resumes it.
 */
export const epoch = positive;

/** The fields that every message carries besides those of its type. */
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

/** Groups of fields that belong together, in one message type or in several. */

export const countFields = Object.fromEntries(countNames.map((name) => [name, index])) as {
  [Name in keyof Counts]: typeof index;
};

export const daqState = { state: z.string().max(200).optional(), substate: z.string().max(200).optional() };

export const sliceFields = { slice_id: index, slice_filename: fileName, tf_filename: fileName, attempt: positive };

export const attemptFields = { ...sliceFields, worker_id: text };

/** Where a file is. Paths may be long, and escaping can triple their length. */
export const located = { file_url: z.string().max(16_000).optional() };

/** A payload program's name, and the digest of its command if known. */
const payloadName = z.object({ name: text, digest: z.string().max(200).optional() });

/** The facts that decide how a slice is processed; a worker needs no others. */
export const workFields = {
  speed: z.number().positive().max(1_000_000).optional(),
  slice_processing_time: seconds.optional(),
  tf_size_bytes: positive.optional(),
  /** The TF file's checksum. */
  checksum: checksum.optional(),
  /** The name of the payload; if left out, the placeholder runs. */
  payload: payloadName.optional(),
  timeout_seconds: seconds.positive().optional(),
};

/** The person on whose behalf a command was given, as claimed by the sender; the name is not verified. */
export const claim = { claimed_by: z.string().min(1).max(100).optional().catch(undefined) };

/**
 * Facts about a payload command. Another program's worker may use these names for something else, so values of
 * the wrong type are dropped.
 */
export const payloadFacts = {
  exit_code: z.int().min(-maxNumber).max(maxNumber).optional().catch(undefined),
  signal: z.string().max(20).optional().catch(undefined),
  /** The end of the command's stdout and stderr, if it failed. */
  output_tail: z.string().max(10_000).optional().catch(undefined),
  outputs: z
    .array(z.object({ name: z.string().max(4096), size_bytes: byteCount, checksum }))
    .max(100)
    .optional()
    .catch(undefined),
  /** Number of files that were written but are not listed. */
  outputs_omitted: index.optional().catch(undefined),
};

/**
 * The role of a message type in a log. `frequent`: many messages, one or more per file or slice. `landmark`:
 * the few messages that summarize an execution. `command`: a landmark that waits for its driver. `logbook`: a
 * person's statement or an alarm.
 */
export type Trait = 'frequent' | 'landmark' | 'command' | 'logbook';

/**
 * - `content`: the fields that make up the statement. Two messages with the same id must have the same values
 *   in them.
 * - `extra`: fields that may differ between two reports of the same thing.
 * - `key`: the part of the message's id after `{execution_id}/{msg_type}`; for a logbook entry, the whole
 *   id.
 *
 * Fields are functions: a server that only reads the store calls none, and so starts sooner.
 */
interface Definition<Content extends z.ZodRawShape, Extra extends z.ZodRawShape> {
  destination: DestinationName;
  trait: Trait;
  content: () => Content;
  fields: () => z.ZodObject<Content & Extra>;
  key: (message: z.infer<z.ZodObject<Content & Extra>>) => string;
}

/** Defines a message type: its destination, its role in a log, its fields, and its key. */
export const define = <Content extends z.ZodRawShape, Extra extends z.ZodRawShape = {}>(
  [destination, trait]: readonly [DestinationName, Trait],
  content: () => Content,
  key: NoInfer<Definition<Content, Extra>['key']>,
  extra = () => ({}) as Extra,
): Definition<Content, Extra> => ({
  destination,
  trait,
  content,
  key,
  fields: () => z.object({ ...content(), ...extra() }) as z.ZodObject<Content & Extra>,
});
