import { messageOf } from '../lib/errors.ts';
import { type Message, schemaOf } from './message.ts';
import { isMessageType } from './vocabulary.ts';

/** A decoded body: a message, a message of an unknown type, or an unreadable body with the reason. */
export type Decoded =
  | { kind: 'message'; message: Message }
  | { kind: 'unknown'; body: Record<string, unknown>; msg_type: string }
  | { kind: 'rejected'; reason: string; body: Record<string, unknown> };

/**
 * How deeply a body may be nested: deeper bodies break code that walks through them, such as SQLite's JSON
 * functions.
 */
const maxDeep = 100;

/** How many characters of a reason to keep. */
const keptReason = 500;

export const rejected = (reason: string, body: Record<string, unknown> = {}): Decoded => ({
  kind: 'rejected',
  reason,
  body,
});

/** Reads a message's body. Never throws. */
export function decodeMessage(body: string): Decoded {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    return rejected(`not JSON: ${messageOf(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return rejected('not a JSON object');
  if (isTooDeep(parsed)) {
    const { namespace } = parsed as { namespace?: unknown };
    // Keep the namespace: it shows whether the message is ours.
    return rejected(`nested deeper than ${maxDeep} levels`, typeof namespace === 'string' ? { namespace } : {});
  }
  return decodeObject(parsed as Record<string, unknown>);
}

/** Like `decodeMessage`, for a body that is already an object. */
export function decodeObject(body: Record<string, unknown>): Decoded {
  const type = body['msg_type'];
  if (typeof type !== 'string' || type === '') return rejected('has no msg_type', body);
  if (!isMessageType(type)) return { kind: 'unknown', body, msg_type: type };
  const result = schemaOf(type).safeParse(body);
  if (result.success) return { kind: 'message', message: result.data };
  const reason = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  return rejected(reason.slice(0, keptReason), body);
}

/**
 * Reads a recorded message that had an effect. It was readable when recorded; throws an `Error` if it is no
 * longer readable.
 */
export function decodeRecorded(body: string): Message {
  const decoded = decodeMessage(body);
  if (decoded.kind !== 'message') throw new Error('a recorded message can no longer be read');
  return decoded.message;
}

/** The fields of a body, even of an unreadable one. */
export const bodyOf = (decoded: Decoded): Record<string, unknown> =>
  decoded.kind === 'message' ? decoded.message : decoded.body;

/** A field of the body; undefined if it is not text. */
export function fieldOf(decoded: Decoded, field: 'namespace' | 'msg_type') {
  const value = bodyOf(decoded)[field];
  return typeof value === 'string' ? value : undefined;
}

function isTooDeep(value: object) {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= maxDeep) return true;
    level = level.flatMap((item) =>
      Object.values(item).filter((inner): inner is object => typeof inner === 'object' && inner !== null),
    );
  }
  return false;
}
