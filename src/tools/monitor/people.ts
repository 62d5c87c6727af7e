import type { Queries } from '../../db/queries.ts';
import { claimedName } from '../../lib/claimed-name.ts';
import { present } from '../../lib/present.ts';
import { clipShown } from '../shared/clip.ts';

type Note = ReturnType<Queries['notesOf']>[number];
type Judged = NonNullable<ReturnType<Queries['qualityOf']>>;

/** Notes that are shown: the last ones. */
const shownNotes = 5;
const shownText = 400;

/** The quality of an execution and the last notes about it, or null. */
export function peopleOf(executionId: string, queries: Queries) {
  const notes = queries.notesOf(executionId, shownNotes);
  const quality = queries.qualityOf(executionId);
  return {
    quality: quality === undefined ? null : qualityPart(quality),
    notes: notes.length === 0 ? null : notes.map(notePart),
  };
}

/** A quality with the name of its author; a claimed name is followed by the name of its claimant. */
const qualityPart = ({ value, reason, author, sent_by, set_at }: Judged) => ({
  value,
  reason: clipShown(reason, shownText),
  author: claimedName(author, sent_by),
  at: set_at,
});

export const notePart = ({ text, author, sent_by, at, about, for_next }: Note) =>
  present({
    text: clipShown(text, shownText),
    author: claimedName(author, sent_by),
    at,
    about,
    for_next: for_next === 1 ? true : null,
  });

/** The person who has seen an alarm, with the name of the claimant if that is another; null if nobody has. */
export const seenByShown = ({ seen_by, seen_sent_by }: Record<'seen_by' | 'seen_sent_by', string | null>) =>
  seen_by === null ? null : claimedName(seen_by, seen_sent_by);
