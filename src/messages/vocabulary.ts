import * as z from 'zod';

import { planVersionSchema, speedSchema, workflowParamsSchema } from '../domain/params.ts';
import { returnReasons } from '../domain/slice-returns.ts';
import { destinations } from './destinations.ts';
import {
  define,
  type Trait,
  byteCount,
  checksum,
  epoch,
  fileName,
  index,
  nameInId,
  positive,
  seconds,
  sentence,
  text,
  claim,
  countFields,
  daqState,
  located,
  payloadFacts,
  sliceFields,
  attemptFields,
  workFields,
} from './fields.ts';
import { logbookMessages, type LogbookType } from './logbook.ts';

const startKey = (m: { slice_filename: string; attempt: number; worker_id: string; hostname: string }) =>
  `${m.slice_filename}/${m.attempt}/${m.worker_id}@${m.hostname}`;

const epochKey = (m: { epoch: number }) => String(m.epoch);

/** The key of a message that occurs once per execution. */
const noKey = () => '';

/** The beginning or end of a pause in the run. */
const pauseStep = define(
  ['broadcast', 'landmark'],
  () => ({ ...daqState, ordinal: positive, reason: z.enum(['period', 'operator']) }),
  (m) => String(m.ordinal),
);

/** An operator's request, which has no parameters, only an optional reason. */
const operatorCommand = define(
  ['control', 'command'],
  () => ({ command_id: text, reason: sentence.optional() }),
  (m) => m.command_id,
  () => claim,
);

/**
 * The vocabulary of the workflow (docs/messages.md): every message type with its destination, its fields
 * and its natural key. Unknown fields are kept.
 *
 * A new message type needs one entry here. The compiler then requires its projection
 * (`db/projection/index.ts`), and a test requires the agent that sends it (`emits`).
 */
export const vocabulary = {
  run_workflow: define(
    ['control', 'landmark'],
    () => ({
      command_id: text,
      workflow_name: nameInId,
      config: z.string().max(4096).optional(),
      params: z.record(z.string(), z.unknown()),
      plan_version: planVersionSchema,
      executed_by: nameInId,
      speed: speedSchema,
    }),
    (m) => m.command_id,
  ),
  run_imminent: define(
    ['broadcast', 'landmark'],
    () => ({ ...daqState, workflow_params: workflowParamsSchema.optional() }),
    noKey,
  ),
  start_run: define(['broadcast', 'landmark'], () => daqState, noKey),
  stf_gen: define(
    ['broadcast', 'frequent'],
    () => ({ ...daqState, filename: fileName, sequence: positive, tf_count: positive }),
    (m) => m.filename,
    () => located,
  ),
  pause_run: pauseStep,
  resume_run: pauseStep,
  end_run: define(
    ['broadcast', 'landmark'],
    () => ({ total_stf_files: index, reason: z.enum(['completed', 'stopped', 'failed']).default('completed') }),
    noKey,
  ),
  stf_ready: define(
    ['broadcast', 'frequent'],
    () => ({
      filename: fileName,
      checksum: checksum.optional(),
      size_bytes: byteCount.optional(),
      sequence: positive,
      tf_count: positive,
    }),
    (m) => m.filename,
    () => located,
  ),
  tf_file_registered: define(
    ['broadcast', 'frequent'],
    () => ({
      tf_filename: fileName,
      stf_filename: fileName,
      tf_first: index,
      tf_last: index,
      tf_count: positive,
      size_bytes: byteCount.optional(),
      checksum: checksum.optional(),
    }),
    (m) => m.tf_filename,
    () => located,
  ),
  slice: define(
    ['slices', 'frequent'],
    () => ({
      ...sliceFields,
      stf_filename: fileName,
      start: index,
      end: index,
      tf_count: positive,
      size_bytes: byteCount.optional(),
      ...workFields,
    }),
    (m) => `${m.slice_filename}/${m.attempt}`,
    () => located,
  ),
  slice_started: define(
    ['results', 'frequent'],
    () => attemptFields,
    startKey,
    () => ({ hostname: text }),
  ),
  slice_result: define(
    ['results', 'frequent'],
    () => ({ ...attemptFields, state: z.enum(['done', 'failed']) }),
    startKey,
    () => ({
      hostname: text,
      processing_seconds: seconds.optional(),
      took_seconds: seconds.optional().catch(undefined),
      error: sentence.optional(),
      ...payloadFacts,
    }),
  ),
  slice_returned: define(
    ['results', 'frequent'],
    () => ({ ...attemptFields, reason: z.enum(returnReasons) }),
    (m) => `${startKey(m)}/${m.reason}`,
    () => ({ hostname: text, detail: z.string().max(1000).optional().catch(undefined) }),
  ),
  stop_workflow: define(
    ['control', 'command'],
    () => ({
      command_id: text,
      reason: sentence.optional(),
      state: z.enum(['stopped', 'failed']).default('stopped'),
      filename: fileName.optional(),
    }),
    (m) => m.command_id,
    () => claim,
  ),
  pause_workflow: operatorCommand,
  resume_workflow: operatorCommand,
  driver_started: define(
    ['broadcast', 'landmark'],
    () => ({ epoch, pid: positive, user: nameInId, version: text, speed: speedSchema }),
    epochKey,
    () => ({ hostname: text, ...claim, reason: z.string().max(1000).optional().catch(undefined) }),
  ),
  driver_ended: define(
    ['broadcast', 'landmark'],
    () => ({
      epoch,
      cause: z.enum(['finished', 'interrupted', 'fault']),
      code: z.string().max(50).optional(),
      reason: z.string().max(2000).optional(),
    }),
    epochKey,
  ),
  driver_lost: define(
    ['broadcast', 'landmark'],
    () => ({ epoch, last_sign: text, last_sign_by: z.enum(['beat', 'message', 'log']) }),
    epochKey,
  ),
  workflow_ended: define(
    ['broadcast', 'landmark'],
    () => ({ status: z.enum(['completed', 'failed', 'terminated']), reason: sentence, ...countFields }),
    noKey,
  ),
  ...logbookMessages,
} as const;

export type Vocabulary = typeof vocabulary;

export type MessageType = keyof Vocabulary;

export const messageTypes = Object.keys(vocabulary) as MessageType[];

const typesOf = (...traits: Trait[]): readonly MessageType[] =>
  messageTypes.filter((type) => traits.includes(vocabulary[type].trait));

export const frequentTypes = typesOf('frequent');
export const landmarkTypes = typesOf('landmark', 'command');
export const commandTypes = typesOf('command');
export const logbookTypes = typesOf('logbook');

/** Whether a message is an entry in the logbook: a person's statement or an alarm. */
export const isLogbookType = (type: MessageType): type is LogbookType => vocabulary[type].trait === 'logbook';

export function isMessageType(value: unknown): value is MessageType {
  return typeof value === 'string' && Object.hasOwn(vocabulary, value);
}

/** The destination of a message type, unless a configuration gives another. */
export const destinationOf = (type: MessageType) => destinations[vocabulary[type].destination];
