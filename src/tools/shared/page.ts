import * as z from 'zod';

import { object, optionalString, string } from '../../domain/fields.ts';
import { SwfError } from '../../lib/errors.ts';
import { readJson } from '../../lib/read-json.ts';
import { sha256 } from '../../lib/sha256.ts';

const cursorSchema = object({
  /** Key of the last row returned. */
  after: z.int().nonnegative(),
  /** How many rows have been returned so far. */
  given: z.int().nonnegative(),
  /** How many rows there are, if earlier pages counted them; otherwise 0. */
  total: z.int().nonnegative(),
  /** The fingerprint of the list and arguments that the cursor belongs to. */
  of: string,
  /** The window of the first page: relative times must mean the same on every page. */
  start: z.iso.datetime().optional(),
  end: z.iso.datetime().optional(),
  /** The execution that `latest` meant on the first page. */
  latest: optionalString,
  /** The earlier moment that the list shows. */
  as_of: optionalString,
});

type Cursor = z.infer<typeof cursorSchema>;

/** The same list with the same arguments has the same fingerprint; the page size may change from page to page. */
export function fingerprint(tool: string, args: Record<string, unknown>) {
  const { cursor: _, limit: __, order = 'newest', ...filters } = args;
  const filled = Object.entries({ ...filters, order }).filter(([, value]) => value !== undefined);
  const text = JSON.stringify([tool, filled.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return sha256().update(text).digest('base64url').slice(0, 12);
}

/** A cursor: where an answer continues, as a string that the client sends back unchanged. */
export const writeCursor = (cursor: object) => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** The content of a cursor; undefined if the text is not a cursor with this schema. */
export const cursorIn = <Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined =>
  schema.safeParse(readJson(Buffer.from(text, 'base64url').toString('utf8'))).data;

/** The earlier moment that a list shows, from the cursor of one of its pages. */
export const momentOfCursor = (text: string) => cursorIn(cursorSchema, text)?.as_of;

/** Throws `CURSOR_INVALID` unless the text is a cursor of the list with this fingerprint. */
export function readCursor(text: string | undefined, of: () => string): Cursor | undefined {
  if (text === undefined) return undefined;
  const data = cursorIn(cursorSchema, text);
  if (data?.of === of()) return data;
  const why =
    data === undefined
      ? 'was not made by this tool; give the next_cursor of the previous page unchanged, or leave it out'
      : 'belongs to a list with other arguments; repeat the arguments of the previous page, or leave the cursor out';
  throw new SwfError('CURSOR_INVALID', `cursor ${JSON.stringify(text.slice(0, 60))} ${why}`);
}
