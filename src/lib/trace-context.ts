import { sha256 } from './sha256.ts';

/** Hexadecimal digits of W3C Trace Context. */
const traceDigits = 32;
const spanDigits = 16;

/** The trace of the last execution: mostly it is the next one too. */
let last: { execution: string; trace: string } | undefined;

const digest = (text: string, digits: number): string => sha256().update(text).digest('hex').slice(0, digits);

function traceOf(execution: string): string {
  if (last?.execution !== execution) last = { execution, trace: digest(execution, traceDigits) };
  return last.trace;
}

/**
 * The `traceparent` of a message as in W3C Trace Context: `00-{trace}-{span}-01`. The trace is the first 32 hexadecimal digits of the execution id's
 * SHA-256, the span the first 16 of the message id's. So a message sent twice is one span, nothing has to be stored, and anybody with the log can
 * compute them.
 */
export const traceParent = (executionId: string, messageId: string): string =>
  `00-${traceOf(executionId)}-${digest(messageId, spanDigits)}-01`;
