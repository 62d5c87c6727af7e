import { claimedName, markdownText } from '../../lib/words.ts';
import type { Handover } from './handover.ts';

type Note = Handover['notes'][number];
type Alarm = Handover['alarms'][number];

/** Formats a time, with a link to the page as it was then if the page is known. @param executionId if left out, the shift itself */
export type ShownTime = (time: string, executionId?: string | null) => string;

const longestNote = 600;

/** The time of day, to the second. */
const clock = (time: string): string => time.slice(11, 19);

/** A name, with its claimant. */
export const whoOf = (name: string, sentBy: string | null | undefined): string =>
  markdownText(claimedName(name, sentBy), 120);

export const noteLine = ({ at, author, sent_by, execution_id, about, text }: Note, shown: ShownTime): string => {
  const who = whoOf(author, sent_by);
  const what = [execution_id, about].filter((name) => name !== null).map((name) => markdownText(name));
  return `- ${shown(at, execution_id)} ${who}${what.length === 0 ? '' : `, ${what.join(', ')}`}: ${markdownText(text, longestNote)}`;
};

export const alarmLine = (
  { raised_at, cleared_at, seen_by, seen_sent_by, seen_at, seen_text, count, alarm_id, sentence, execution_id }: Alarm,
  shown: ShownTime,
): string => {
  const life = [
    count === 1 ? [] : `time ${count}`,
    seen_by === null
      ? 'not seen'
      : `seen by ${whoOf(seen_by, seen_sent_by)} ${clock(seen_at ?? '')}${seen_text === null ? '' : `, ${markdownText(seen_text, 100)}`}`,
    cleared_at === null ? 'not over' : `over ${clock(cleared_at)}`,
  ].flat();
  return `- ${shown(raised_at, execution_id)} ${markdownText(alarm_id)} (${life.join(', ')}): ${markdownText(sentence, 300)}`;
};
