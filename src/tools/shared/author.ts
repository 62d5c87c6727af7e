import type { Author } from '../../db/logbook/entries.ts';
import { SwfError } from '../../lib/errors.ts';
import type { Logbook } from './logbook.ts';
import type { LiveContext } from './tool.ts';

/** Tools that write are offered only if the server has a logbook. */
export function logbookOf({ logbook }: LiveContext): Logbook {
  if (logbook === undefined)
    throw new SwfError('TOOL_NOT_FOUND', 'this server changes nothing; start it without --read-only');
  return logbook;
}

/** The author of an entry: the person on whose behalf it is written, else the caller. */
export const authorOf = (requestedBy: string | undefined, context: LiveContext): Author => {
  const sender = context.caller();
  return { author: requestedBy ?? sender, sender };
};
