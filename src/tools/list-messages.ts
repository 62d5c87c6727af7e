import { messageEffects } from '../domain/effects.ts';
import { argumentInvalid } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { asObject, readJson } from '../lib/read-json.ts';
import { clip, clipEscaped, clipShown } from './shared/clip.ts';
import { defineList } from './shared/list.ts';
import { otherWords, words } from './shared/nowhere.ts';
import { choice, executionId, namespace, runNumber, text, type ToolContext } from './shared/tool.ts';

const shownPayload = 500;
const shownReason = 300;
const shownId = 700;
/**
 * Maximum length of a whole body, in characters: escaped as text in JSON, it must still fit into one answer.
 */
const wholePayload = 20_000;

export const listMessagesTool = defineList({
  name: 'list_messages',
  title: 'List workflow messages',
  description:
    'The messages of the workflow as recorded (stf_gen, stf_ready, tf_file_registered, slice, slice_result; stop_workflow from operators; note, quality, alarm_raised …), each with its ' +
    'effect, or the reason it had none. body: the other fields, shortened; payload: complete, only with message_id. For log lines, use list_logs.',
  takesLong: ({ search }) => search !== undefined,
  input: () => ({
    execution_id: executionId,
    run_number: runNumber,
    namespace,
    agent: text('Sender, such as data-agent-shifter-481'),
    message_type: text('Such as stf_ready'),
    effect: choice(messageEffects, 'Effect of the message'),
    search: words('Whole words in the id or body, in order'),
    message_id: text('Only this message, in full', shownId),
  }),
  window: 'sent_at',
  isWide: true,
  aliases: { sender_agent: 'agent', instance_name: 'agent' },
  ask: ({ queries }) => queries.messages,
  whenEmpty: ({ queries }, question) => otherWords(question, queries.messages),
  computed:
    (_, { message_id }) =>
    (row) => ({
      effect_reason: clipShown(row.effect_reason, shownReason),
      ...noBody,
      ...(message_id !== undefined
        ? payloadOf(row.payload, wholePayload)
        : (shownBody(row.payload) ?? payloadOf(row.payload, shownPayload))),
    }),
  resolve: resolveMentioned,
  check({ message_id }, total) {
    if (message_id !== undefined && total === 0)
      throw argumentInvalid(
        `there is no message ${JSON.stringify(message_id)} that matches the other arguments; list_messages without message_id shows the ids`,
      );
  },
});

/** Messages may name an execution that never existed in this store. */
function resolveMentioned(id: string | undefined, { queries }: ToolContext) {
  if (id === undefined || (id !== 'latest' && queries.executionIsMentioned(id))) return id;
  return queries.execution(id).execution_id;
}

/** The fields for a body. A message has at most two of them. */
const noBody = { body: undefined, body_truncated: undefined, payload: undefined, payload_truncated: undefined };

/** A body as text, cut if it is long. */
function payloadOf(body: string | null, characters: number) {
  // The body of a damaged row may be unreadable.
  if (body === null) return {};
  const whole = printable(clip(body, 2 * wholePayload));
  const payload = clipEscaped(clip(whole, characters), wholePayload);
  return { payload, payload_truncated: payload.length < whole.length ? (true as const) : null };
}

/** Message fields that the list's rows already have, some under another name. */
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

/** The remaining space, in characters of JSON, and whether anything did not fit. */
interface Room {
  left: number;
  isCut: boolean;
}

/**
 * A message's body as an object, without the fields of its row. Cuts texts to 200 characters, and leaves out
 * fields that do not fit into 1,000 characters in total. Undefined if the body is not a JSON object.
 */
function shownBody(payload: string) {
  const whole = asObject(readJson(payload));
  if (whole === undefined) return undefined;
  const room: Room = { left: longestBody, isCut: false };
  const fields = Object.entries(whole).filter(([key]) => !rowsOwn.has(key));
  const body = fitObject(Object.fromEntries(fields), room);
  return { body, body_truncated: room.isCut ? true : null };
}

/** The first fields of an object, as many as fit. */
function fitObject(object: Record<string, unknown>, room: Room) {
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

/** A value, cut to the remaining space; undefined if it does not fit. */
function fit(value: unknown, room: Room) {
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

function fitText(value: string, room: Room) {
  if (value.length <= longestText) return value;
  room.isCut = true;
  return `${clipShown(value, longestText - 1)}…`;
}
