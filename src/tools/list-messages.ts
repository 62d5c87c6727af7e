import * as z from 'zod';

import type { MessageRow } from '../db/lists/messages.ts';
import { messageEffects } from '../domain/effects.ts';
import { argumentInvalid } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { pageAnswer } from './answers/page.ts';
import { shownBody } from './shared/body.ts';
import { clip, clipEscaped, clipShown } from './shared/clip.ts';
import { listPage } from './shared/list.ts';
import { choice, executionId, itemFields, listArguments, namespace, runNumber, text } from './shared/params.ts';
import { otherWords, words } from './shared/search.ts';
import { defineTool, type ToolContext } from './shared/tool.ts';

const shownPayload = 500;
const shownReason = 300;
const shownId = 700;
/** A whole body must still fit into one answer, escaped as text within JSON. */
const wholePayload = 20_000;

/** All fields are optional: a caller may ask for some of them. */
const itemOf = () =>
  z
    .strictObject({
      message_id: z.string(),
      message_type: z.string(),
      sender_agent: z.string().optional(),
      namespace: z.string().optional(),
      sent_at: z.string(),
      execution_id: z.string().optional(),
      run_id: z.string().optional(),
      destination: z.string(),
      effect: z.enum(messageEffects),
      effect_reason: z.string().optional(),
      repeats: z.string().optional().describe('The message that says the same, and counts'),
      contradicts: z.string().optional(),
      body: z.record(z.string(), z.unknown()).optional(),
      body_truncated: z.literal(true).optional(),
      payload: z.string().optional(),
      payload_truncated: z.literal(true).optional(),
    })
    .partial();

export const listMessagesTool = defineTool({
  name: 'list_messages',
  title: 'List workflow messages',
  description:
    'The messages of the workflow as recorded (stf_gen, stf_ready, tf_file_registered, slice, slice_result; stop_workflow of operators; note, quality, alarm_raised …), each with its ' +
    'effect, and why where it had none. body has its further fields, cut; message_id gives the whole payload. For what agents logged use list_logs.',
  takesLong: ({ search }) => search !== undefined,
  takesMoment: true,
  input: () =>
    z.strictObject({
      execution_id: executionId,
      run_number: runNumber,
      namespace,
      agent: text('Sender, such as data-agent-shifter-481'),
      message_type: text('Such as stf_ready'),
      effect: choice(messageEffects, 'Effect of recording it'),
      search: words('Whole words in sequence, of id or body'),
      message_id: z.string().min(1).max(shownId).optional().describe('Only this message, whole'),
      fields: itemFields,
      ...listArguments('sent_at'),
    }),
  output: () => pageAnswer(itemOf()),
  aliases: { sender_agent: 'agent', instance_name: 'agent' },
  handle(args, context) {
    const { message_id } = args;
    const answer = listPage('list_messages', args, context, {
      ask: context.queries.messages,
      values: { agent: 'message sender', message_type: 'message type', namespace: 'namespace' },
      whenEmpty: (question) => otherWords(question, context.queries.messages),
      item: itemOf,
      computed: (row) => computedOf(row, message_id !== undefined),
      resolve: resolveMentioned,
    });
    if (message_id !== undefined && answer.total_count === 0)
      throw argumentInvalid(
        `there is no message ${JSON.stringify(message_id)} that fits the other arguments; list_messages without message_id shows the ids`,
      );
    return answer;
  },
});

/** Messages may name an execution that was never made here. */
function resolveMentioned(id: string | undefined, { queries }: ToolContext): string | undefined {
  if (id === undefined || (id !== 'latest' && queries.executionIsMentioned(id))) return id;
  return queries.execution(id).execution_id;
}

/** The fields for a body. Of these a message has two at most. */
const noBody = { body: undefined, body_truncated: undefined, payload: undefined, payload_truncated: undefined };

const computedOf = (row: MessageRow, isWhole: boolean) => ({
  effect_reason: row.effect_reason === null ? undefined : clipShown(row.effect_reason, shownReason),
  ...noBody,
  ...(isWhole
    ? payloadOf(row.payload, wholePayload)
    : (shownBody(row.payload) ?? payloadOf(row.payload, shownPayload))),
});

/** A body as text, cut if it is long. */
function payloadOf(body: string | null, characters: number) {
  // A damaged row may not yield its body.
  if (body === null) return {};
  const whole = printable(clip(body, 2 * wholePayload));
  const payload = clipEscaped(clip(whole, characters), wholePayload);
  return { payload, payload_truncated: payload.length < whole.length ? (true as const) : null };
}
