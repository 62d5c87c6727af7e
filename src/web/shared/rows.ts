import { duration } from '../../lib/duration.ts';
import type { ExecutionRow } from './answers.ts';
import { isoIn, type Zone } from './format.ts';

/** The duration of an execution, or the time since its driver was last heard. */
export const tookOf = ({
  duration_seconds,
  silent_seconds: silent,
}: Pick<ExecutionRow, 'duration_seconds' | 'silent_seconds'>): string =>
  silent === undefined ? duration(duration_seconds) : `silent for ${duration(silent)}`;

/** The time of day of a row, to the millisecond; after the date, if it is not that of the row above. A text that is no time stays. */
export function rowTime(iso: string, above: string | undefined, zone: Zone): string {
  const inZone = (text = ''): string => (Number.isNaN(Date.parse(text)) ? text : isoIn(Date.parse(text), zone));
  const at = inZone(iso);
  return at.slice(inZone(above).slice(0, 10) === at.slice(0, 10) ? 11 : 0, 23).replace('T', ' ');
}

/** A tool's note without the sentences that name its arguments: a person has buttons and fields for those. */
export const noteForPeople = (note = ''): string =>
  note
    .split(/(?<=\.)\s+/)
    .filter((sentence) => !/[a-z]_[a-z]/.test(sentence))
    .join(' ');
