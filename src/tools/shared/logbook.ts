import type { Quality } from '../../domain/logbook-words.ts';
import { SwfError } from '../../lib/errors.ts';
import type { LiveContext } from './tool.ts';

/** The person who writes, and the one who says so. */
interface Author {
  author: string;
  sender: string;
}

export interface NoteRequest extends Author {
  /** Undefined for a note about none. */
  execution_id: string | undefined;
  text: string;
  at?: string | undefined;
  about?: string | undefined;
  for_next?: boolean | undefined;
}

export interface QualityRequest extends Author {
  execution_id: string;
  value: Quality;
  reason: string;
}

/** The logbook as tools and routes write it. The implementation is injected. */
export interface Logbook {
  /** Returns the id of the message. */
  note(request: NoteRequest): Promise<string>;
  quality(request: QualityRequest): Promise<{ message_id: string; value: Quality; was: Quality }>;
  /** Throws `ARGUMENT_INVALID` for what names no alarm. @returns who has seen it; `is_new` where that was not known before */
  seen(
    alarm: string,
    request: Author & { text: string | undefined },
  ): Promise<{
    alarm_id: string;
    seen_by: string;
    is_new: boolean;
  }>;
}

/** Tools that write are offered only where the server has one. */
export function logbookOf({ logbook }: LiveContext): Logbook {
  if (logbook === undefined)
    throw new SwfError('TOOL_NOT_FOUND', 'this server changes nothing; start it without --read-only');
  return logbook;
}

/** The author of an entry: the person in whose name it is written, else the caller. */
export const authorOf = (requestedBy: string | undefined, context: LiveContext): Author => {
  const sender = context.caller();
  return { author: requestedBy ?? sender, sender };
};
