import type { Queries } from '../../db/queries.ts';
import { counted } from '../../lib/counted.ts';
import { present } from '../../lib/present.ts';
import { claimedName } from '../../lib/words.ts';
import { clipShown } from '../shared/clip.ts';

type Note = ReturnType<Queries['notesOf']>['notes'][number];

/** How many of the last notes to show by default. */
export const shownNotes = 5;
const shownText = 400;

/**
 * The quality of an execution and the last notes about it, if any; `note` says how many earlier notes there
 * are.
 * @param most maximum number of notes
 */
export function peopleOf(executionId: string, queries: Queries, most: number) {
  const { notes, omitted } = queries.notesOf(executionId, most);
  const quality = queries.qualityOf(executionId);
  return {
    quality: quality && {
      value: quality.value,
      reason: clipShown(quality.reason, shownText),
      author: claimedName(quality.author, quality.sent_by),
      at: quality.set_at,
    },
    notes: notes.length === 0 ? null : notes.map(notePart),
    note: omitted === 0 ? [] : [`${counted(omitted, 'earlier note')} not shown`],
  };
}

export const notePart = ({ text, author, sent_by, at, about, for_next }: Note) =>
  present({
    text: clipShown(text, shownText),
    author: claimedName(author, sent_by),
    at,
    about,
    for_next: for_next === 1 ? true : null,
  });

/**
 * The person who has seen an alarm, with the sender's name if the sender only claimed to be that person; null
 * if no one has seen it.
 */
export const seenByShown = ({ seen_by, seen_sent_by }: Record<'seen_by' | 'seen_sent_by', string | null>) =>
  seen_by === null ? null : claimedName(seen_by, seen_sent_by);
