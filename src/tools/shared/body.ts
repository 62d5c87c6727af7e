import { asObject, readJson } from '../../lib/read-json.ts';
import { clipShown } from './clip.ts';

/** Message fields that a list's row has under its own names. */
const rowsOwn: ReadonlySet<string> = new Set([
  'msg_type',
  'sender',
  'namespace',
  'execution_id',
  'run_id',
  'timestamp',
  'message_id',
]);

const longestText = 200;
const longestBody = 1000;

/** The room that is left, in characters of JSON, and whether anything did not fit. */
interface Room {
  left: number;
  isCut: boolean;
}

/**
 * A message's body as an object, without the fields of its row. Cuts texts at 200 characters, and leaves out fields that no longer fit into
 * 1,000 characters in all. Undefined if the body is not a JSON object.
 */
export function shownBody(payload: string): { body: Record<string, unknown>; body_truncated: true | null } | undefined {
  const whole = asObject(readJson(payload));
  if (whole === undefined) return undefined;
  const room: Room = { left: longestBody, isCut: false };
  const fields = Object.entries(whole).filter(([key]) => !rowsOwn.has(key));
  const body = fitObject(Object.fromEntries(fields), room);
  return { body, body_truncated: room.isCut ? true : null };
}

/** The first fields of an object, as many as fit. */
function fitObject(object: Record<string, unknown>, room: Room): Record<string, unknown> {
  const fitting: [string, unknown][] = [];
  for (const [key, value] of Object.entries(object)) {
    room.left -= JSON.stringify(key).length + 2;
    const shown = room.left < 0 ? undefined : fit(value, room);
    if (shown === undefined) {
      room.isCut = true;
      break;
    }
    fitting.push([key, shown]);
  }
  return Object.fromEntries(fitting);
}

/** A value, cut to the room that is left, or undefined. */
function fit(value: unknown, room: Room): unknown {
  const object = asObject(value);
  if (object !== undefined) {
    room.left -= 2;
    return fitObject(object, room);
  }
  if (Array.isArray(value)) {
    room.left -= 2;
    return Object.values(fitObject(Object.fromEntries(value.entries()), room));
  }
  const shown = typeof value === 'string' ? fitText(value, room) : value;
  room.left -= JSON.stringify(shown).length + 1;
  return room.left < 0 ? undefined : shown;
}

function fitText(text: string, room: Room): string {
  if (text.length <= longestText) return text;
  room.isCut = true;
  return `${clipShown(text, longestText - 1)}…`;
}
