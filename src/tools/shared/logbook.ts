import type { Author, NewNote, NewQuality } from '../../db/logbook/entries.ts';
import type { Quality } from '../../domain/logbook-words.ts';

/** The logbook as tools and routes write it. The implementation is injected. */
export interface Logbook {
  /** Returns the id of the message. */
  note(request: NewNote): Promise<string>;
  quality(request: NewQuality): Promise<{ message_id: string; value: Quality; was: Quality }>;
  /** Throws `ARGUMENT_INVALID` if `alarm` names none. @returns who has seen it; `is_over` if it was over by then, `is_new` if that was not known before */
  seen(alarm: string, request: Author & { text: string | undefined }): Promise<Seen>;
}

interface Seen {
  alarm_id: string;
  seen_by: string;
  is_over: boolean;
  is_new: boolean;
}
