import * as z from 'zod';

import type { Author } from '../db/logbook/entries.ts';
import { object, optionalBoolean, string } from '../domain/fields.ts';
import { maxNote } from '../domain/logbook-words.ts';
import { argumentInvalid, SwfError } from '../lib/errors.ts';
import { parseTime } from '../lib/time.ts';
import type { Logbook } from './shared/services.ts';
import { defineLiveTool, type LiveContext, requestedBy, requiredText, text } from './shared/tool.ts';

export const addNoteTool = defineLiveTool({
  name: 'add_note',
  title: 'Write a note about a run',
  description:
    "Adds a person's note, general or about an execution. The monitor, reports and the page show it. Notes cannot be changed: to correct one, add another.",
  input: () => ({
    execution_id: requiredText('Execution id, "latest", or "none"'),
    text: z.string().trim().min(1).max(maxNote).describe('The text'),
    at: text('Time the note is about (default now)'),
    about: text('File, worker or message concerned'),
    for_next: optionalBoolean.describe('For the next shift'),
    requested_by: requestedBy('Its author'),
  }),
  output: () => object({ message_id: string }),
  writes: { destructive: false, idempotent: false },
  async perform({ execution_id: asked, at, requested_by, ...note }, context) {
    const execution_id = asked === 'none' ? undefined : context.queries().execution(asked).execution_id;
    const author = authorOf(requested_by, context);
    const time = timeOfNote(at, context.now());
    return { message_id: await logbookOf(context).note({ ...note, ...author, at: time, execution_id }) };
  },
});

/** The time that a note is about, ISO 8601. Throws `ARGUMENT_INVALID` for a future time. */
export function timeOfNote(at: string | undefined, now: number) {
  const time = parseTime('at', at, now);
  if (time !== undefined && Date.parse(time) > now)
    throw argumentInvalid(
      `at = ${time} is in the future; leave it out if you mean now, or give a past time such as -10m`,
    );
  return time;
}

/** Tools that write are offered only if the server has a logbook. */
export function logbookOf({ logbook }: LiveContext): Logbook {
  if (logbook === undefined)
    throw new SwfError('TOOL_NOT_FOUND', 'this server is read-only; start it without --read-only');
  return logbook;
}

/** The author of an entry: the person on whose behalf it is written, or else the caller. */
export const authorOf = (person: string | undefined, context: LiveContext): Author => {
  const sender = context.caller();
  return { author: person ?? sender, sender };
};
