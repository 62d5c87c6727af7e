import { createHash } from 'node:crypto';

import * as z from 'zod';

import { speedSchema, workflowParamsSchema } from '../domain/params.ts';
import { messageOf } from '../lib/errors.ts';

/**
 * The vocabulary of the workflow (contract §2): every message type with its destination, its fields and its natural key.
 *
 * - `content` are the fields that say something; two messages of one id must agree in them.
 * - `extra` are fields that may differ between two tellings of the same thing.
 * - `key` is what stands behind `{execution_id}/{msg_type}` in the message's id.
 *
 * Unknown fields are kept. A new message type is one entry here; the projection (`db/projection`) does not compile until
 * it says what the message does.
 */
export const destinations = {
  broadcast: '/topic/epictopic',
  slices: '/queue/panda.transformer.slices',
  results: '/queue/panda.results.fastprocessing',
  control: '/queue/workflow_control',
} as const;

export type DestinationName = keyof typeof destinations;

/** File names from the wire (contract §3); none begins with a dot, so none is a folder. */
const fileName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/, 'must be a file name of letters, digits, ".", "_" and "-"');
const text = z.string().min(1).max(1000);
const index = z.int().nonnegative();
/** A word that becomes part of an execution's id, and with it of a folder's name. */
const nameInId = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/, 'must be up to 64 letters, digits, ".", "_" and "-"');
/** Paths may be long, and three times as long when escaped. */
const fileUrl = z.string().max(16_000).optional();

const daqState = { state: z.string().optional(), substate: z.string().optional() };
const pauseFields = { ordinal: z.int().positive(), reason: z.enum(['period', 'operator']) };
const sliceFields = {
  slice_id: index,
  slice_filename: fileName,
  tf_filename: fileName,
  attempt: z.int().positive(),
};
const startFields = { ...sliceFields, worker_id: text };

/** What a payload command leaves behind. Another program's worker may mean something else by these names. */
const payloadFacts = {
  exit_code: z.int().optional().catch(undefined),
  signal: z.string().max(20).optional().catch(undefined),
  /** The end of what it wrote on stdout and stderr, where it failed. */
  output_tail: z.string().max(10_000).optional().catch(undefined),
  outputs: z
    .array(z.object({ name: z.string(), size_bytes: index, checksum: z.string() }))
    .max(100)
    .optional()
    .catch(undefined),
  /** Files that were written and are not listed. */
  outputs_omitted: index.optional().catch(undefined),
};

interface Definition<Content extends z.ZodRawShape, Extra extends z.ZodRawShape> {
  destination: DestinationName;
  content: Content;
  fields: z.ZodObject<Content & Extra>;
  key: (message: z.infer<z.ZodObject<Content & Extra>>) => string;
}

function define<Content extends z.ZodRawShape, Extra extends z.ZodRawShape>(
  destination: DestinationName,
  content: Content,
  extra: Extra,
  key: Definition<Content, Extra>['key'],
): Definition<Content, Extra> {
  return { destination, content, key, fields: z.object({ ...content, ...extra }) as z.ZodObject<Content & Extra> };
}

const startKey = (m: { slice_filename: string; attempt: number; worker_id: string; hostname: string }): string =>
  `${m.slice_filename}/${m.attempt}/${m.worker_id}@${m.hostname}`;

export const vocabulary = {
  run_workflow: define(
    'control',
    {
      command_id: text,
      workflow_name: nameInId,
      config: z.string().optional(),
      params: z.record(z.string(), z.unknown()),
      executed_by: nameInId,
      speed: speedSchema,
    },
    {},
    (m) => m.command_id,
  ),
  run_imminent: define('broadcast', { ...daqState, workflow_params: workflowParamsSchema.optional() }, {}, () => ''),
  start_run: define('broadcast', daqState, {}, () => ''),
  stf_gen: define(
    'broadcast',
    { ...daqState, filename: fileName, sequence: z.int().positive(), tf_count: z.int().positive() },
    { file_url: fileUrl },
    (m) => m.filename,
  ),
  pause_run: define('broadcast', { ...daqState, ...pauseFields }, {}, (m) => String(m.ordinal)),
  resume_run: define('broadcast', { ...daqState, ...pauseFields }, {}, (m) => String(m.ordinal)),
  end_run: define(
    'broadcast',
    { total_stf_files: index, reason: z.enum(['completed', 'stopped', 'failed']).default('completed') },
    {},
    () => '',
  ),
  stf_ready: define(
    'broadcast',
    {
      filename: fileName,
      checksum: z.string().max(200).optional(),
      size_bytes: index.optional(),
      sequence: z.int().positive(),
      tf_count: z.int().positive(),
    },
    { file_url: fileUrl },
    (m) => m.filename,
  ),
  tf_file_registered: define(
    'broadcast',
    {
      tf_filename: fileName,
      stf_filename: fileName,
      tf_first: index,
      tf_last: index,
      tf_count: z.int().positive(),
      size_bytes: index.optional(),
    },
    { file_url: fileUrl },
    (m) => m.tf_filename,
  ),
  slice: define(
    'slices',
    {
      ...sliceFields,
      stf_filename: fileName,
      start: index,
      end: index,
      tf_count: z.int().positive(),
      size_bytes: index.optional(),
    },
    { file_url: fileUrl },
    (m) => `${m.slice_filename}/${m.attempt}`,
  ),
  slice_started: define('results', startFields, { hostname: text }, startKey),
  slice_result: define(
    'results',
    { ...startFields, state: z.enum(['done', 'failed']) },
    {
      hostname: text,
      processing_seconds: z.number().nonnegative().optional(),
      error: z.string().optional(),
      ...payloadFacts,
    },
    startKey,
  ),
  stop_workflow: define(
    'control',
    {
      command_id: text,
      reason: z.string().optional(),
      state: z.enum(['stopped', 'failed']).default('stopped'),
      filename: fileName.optional(),
    },
    {},
    (m) => m.command_id,
  ),
  pause_workflow: define('control', { command_id: text }, {}, (m) => m.command_id),
  resume_workflow: define('control', { command_id: text }, {}, (m) => m.command_id),
  workflow_ended: define(
    'broadcast',
    {
      status: z.enum(['completed', 'failed', 'terminated']),
      reason: z.string(),
      stf_count: index,
      tf_files_received: index,
      slices_created: index,
      slices_queued: index,
      slices_processing: index,
      slices_completed: index,
      slices_failed: index,
    },
    {},
    () => '',
  ),
} as const;

type Vocabulary = typeof vocabulary;

export type MessageType = keyof Vocabulary;

export const messageTypes = Object.keys(vocabulary) as MessageType[];

/** What every message carries besides its own fields. */
const envelopeShape = {
  message_id: z.string().optional(),
  sender: z.string().min(1).max(200),
  namespace: z.string().min(1).max(200),
  // It names a folder of data files.
  execution_id: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'must be an id of letters, digits, ".", "_" and "-"')
    .optional(),
  run_id: z.string().min(1).max(50).optional(),
  timestamp: z.string().max(100).optional(),
  simulation_tick: z.number().nonnegative().optional(),
};

export type Envelope = z.infer<z.ZodObject<typeof envelopeShape>>;

type Fields<T extends MessageType> = z.infer<Vocabulary[T]['fields']>;

/** A message of one type without its envelope: what an agent says. */
export type Draft<T extends MessageType = MessageType> = { [K in T]: { msg_type: K } & Fields<K> }[T];

export type Message<T extends MessageType = MessageType> = { [K in T]: Draft<K> & Envelope }[T];

/** The whole vocabulary as one schema. */
export const messageSchema = z.discriminatedUnion(
  'msg_type',
  messageTypes.map((type) =>
    z.looseObject({ msg_type: z.literal(type), ...envelopeShape, ...vocabulary[type].fields.shape }),
  ) as unknown as [z.core.$ZodTypeDiscriminable],
) as unknown as z.ZodType<Message>;

export type Decoded =
  | { kind: 'message'; message: Message }
  | { kind: 'unknown'; body: Record<string, unknown>; msg_type: string }
  | { kind: 'rejected'; reason: string; body: Record<string, unknown> };

/** Deeper bodies break those who walk through them, SQLite's JSON functions among them. */
const mostDeep = 100;

function isTooDeep(value: object): boolean {
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= mostDeep) return true;
    level = level.flatMap((item) =>
      Object.values(item).filter((inner): inner is object => typeof inner === 'object' && inner !== null),
    );
  }
  return false;
}

export function isMessageType(value: unknown): value is MessageType {
  return typeof value === 'string' && Object.hasOwn(vocabulary, value);
}

/** Reads a message's body: what it says, or that its type is unknown, or why it cannot be read. Never throws. */
export function decodeMessage(body: string): Decoded {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    return { kind: 'rejected', reason: `not JSON: ${messageOf(error)}`, body: {} };
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { kind: 'rejected', reason: 'not a JSON object', body: {} };
  }
  if (isTooDeep(parsed)) return { kind: 'rejected', reason: `nested deeper than ${mostDeep} levels`, body: {} };
  const object = parsed as Record<string, unknown>;
  const type = object['msg_type'];
  if (typeof type !== 'string' || type === '') return { kind: 'rejected', reason: 'has no msg_type', body: object };
  if (!isMessageType(type)) return { kind: 'unknown', body: object, msg_type: type };
  const result = messageSchema.safeParse(object);
  if (result.success) return { kind: 'message', message: result.data };
  const reason = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  return { kind: 'rejected', reason: reason.slice(0, 500), body: object };
}

export function destinationOf(type: MessageType): string {
  return destinations[vocabulary[type].destination];
}

/**
 * The id that a message's own words give it: `{execution_id}/{msg_type}` and its natural key (contract §2).
 * `run_workflow` makes its execution, so its id cannot name it.
 */
export function messageIdOf(message: Message): string {
  const key = (vocabulary[message.msg_type].key as (m: Message) => string)(message);
  const scope = message.msg_type === 'run_workflow' ? [] : [message.execution_id];
  return [...scope, message.msg_type, ...(key === '' ? [] : [key])].join('/');
}

/** What a message says, in one canonical text: two messages of one id agree, or they are a conflict. */
export function contentOf(message: Message): string {
  const { content } = vocabulary[message.msg_type];
  const fields = message as Record<string, unknown>;
  return JSON.stringify(Object.keys(content).map((field) => canonical(fields[field])));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner)]);
}

/** SHA-256 of a message as it came, for the ids of what has no id of its own. */
export function wireHash(destination: string, body: string): string {
  return createHash('sha256').update(`${destination}\n${body}`).digest('hex');
}

/** The id of the `slice` message of one attempt. */
export function sliceMessageId(executionId: string, sliceFilename: string, attempt: number): string {
  return `${executionId}/slice/${sliceFilename}/${attempt}`;
}
