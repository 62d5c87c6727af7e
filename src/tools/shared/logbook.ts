import type { Quality } from '../../domain/logbook-words.ts';

/** The person who writes, and the one who says so. */
export interface Author {
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
    /** It was over when it was seen. */
    is_over: boolean;
    is_new: boolean;
  }>;
}
