import { onceFor } from '../lib/once-for.ts';
import { sha256 } from '../lib/sha256.ts';
import type { Message } from './message.ts';
import { isLogbookType, type MessageType, type Vocabulary, vocabulary } from './vocabulary.ts';

/**
 * The id of a message, derived from its content: `{execution_id}/{msg_type}` and its natural key
 * (docs/messages.md). The same statement made twice has the same id. The id of `run_workflow` cannot name the
 * execution, which this message creates.
 */
export function messageIdOf(message: Message) {
  const key = (vocabulary[message.msg_type].key as (m: Message) => string)(message);
  if (isLogbookType(message.msg_type)) return key;
  const scope = message.msg_type === 'run_workflow' ? [] : [message.execution_id];
  return [...scope, message.msg_type, ...(key === '' ? [] : [key])].join('/');
}

/**
 * The content of a message as one canonical text. Two messages with the same id either have the same
 * content or contradict each other.
 */
export function contentOf(message: Message) {
  const fields = message as Record<string, unknown>;
  return JSON.stringify(contentFields(vocabulary[message.msg_type]).map((field) => canonical(fields[field])));
}

const contentFields = onceFor(({ content }: Vocabulary[MessageType]) => Object.keys(content()));

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner)]);
}

/** SHA-256, in hex, of a body and its destination, for a body that has no id of its own. */
export const wireHash = (destination: string, body: string) => sha256().update(`${destination}\n${body}`).digest('hex');

/** The id of the `slice` message of one attempt. */
export const sliceMessageId = (
  executionId: string | undefined,
  { slice_filename, attempt }: { slice_filename: string; attempt: number },
) => `${executionId ?? ''}/slice/${slice_filename}/${attempt}`;

/** Lengths of W3C Trace Context ids, in hexadecimal digits. */
const traceDigits = 32;
const spanDigits = 16;

/** The trace of the last execution; the next message usually belongs to the same execution. */
let last: { execution: string; trace: string } | undefined;

const digest = (text: string, digits: number) => sha256().update(text).digest('hex').slice(0, digits);

function traceOf(execution: string) {
  if (last?.execution !== execution) last = { execution, trace: digest(execution, traceDigits) };
  return last.trace;
}

/**
 * The `traceparent` of a message as in W3C Trace Context: `00-{trace}-{span}-01`. The trace is the first 32
 * hexadecimal digits of the SHA-256 of the execution id; the span is the first 16 of the SHA-256 of the message
 * id. So a message sent twice is one span, nothing has to be stored, and anyone with the log can compute both.
 */
export const traceParent = (executionId: string, messageId: string) =>
  `00-${traceOf(executionId)}-${digest(messageId, spanDigits)}-01`;
