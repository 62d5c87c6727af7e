import { onceFor } from '../lib/once-for.ts';
import { sha256 } from '../lib/sha256.ts';
import type { Message } from './message.ts';
import { isLogbookType, type MessageType, type Vocabulary, vocabulary } from './vocabulary.ts';

/**
 * The id of a message, derived from its content: `{execution_id}/{msg_type}` and its natural key
 * (docs/messages.md). The same statement made twice has the same id. `run_workflow` makes its execution, so
 * its id cannot name it.
 */
export function messageIdOf(message: Message): string {
  const key = (vocabulary[message.msg_type].key as (m: Message) => string)(message);
  if (isLogbookType(message.msg_type)) return key;
  const scope = message.msg_type === 'run_workflow' ? [] : [message.execution_id];
  return [...scope, message.msg_type, ...(key === '' ? [] : [key])].join('/');
}

/**
 * The content of a message as one canonical text. Two messages with the same id either agree in it or
 * contradict each other.
 */
export function contentOf(message: Message): string {
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

/** SHA-256 of a body and its destination in hex, for the id of a body without its own. */
export const wireHash = (destination: string, body: string) => sha256().update(`${destination}\n${body}`).digest('hex');

/** The id of the `slice` message of one attempt. */
export const sliceMessageId = (executionId: string, sliceFilename: string, attempt: number) =>
  `${executionId}/slice/${sliceFilename}/${attempt}`;

/** Hexadecimal digits of W3C Trace Context. */
const traceDigits = 32;
const spanDigits = 16;

/** The trace of the last execution, which is usually the next one too. */
let last: { execution: string; trace: string } | undefined;

const digest = (text: string, digits: number) => sha256().update(text).digest('hex').slice(0, digits);

function traceOf(execution: string) {
  if (last?.execution !== execution) last = { execution, trace: digest(execution, traceDigits) };
  return last.trace;
}

/**
 * The `traceparent` of a message as in W3C Trace Context: `00-{trace}-{span}-01`. The trace is the first 32
 * hexadecimal digits of the execution id's SHA-256, the span the first 16 of the message id's. So a message
 * sent twice is one span, nothing has to be stored, and anyone with the log can compute them.
 */
export const traceParent = (executionId: string, messageId: string) =>
  `00-${traceOf(executionId)}-${digest(messageId, spanDigits)}-01`;
