import { nounFor } from '../../lib/counted.ts';
import { duration, wholeDuration } from '../../lib/duration.ts';
import { percentDone } from '../../lib/rounded.ts';
import { columnTime, isoTime } from '../../lib/words.ts';
import type { ExecutionRow } from './answers.ts';

/** A whole number with commas between thousands. */
export const count = (n: number) => Math.round(n).toLocaleString('en');

/** A number, with its thousands separated, and its noun: `1 slot`, `2 slots`. */
export const amount = (n: number, one: string, many?: string) => `${count(n)} ${nounFor(n, one, many)}`;

/** A share of work done, in percent. */
export const percent = (done: number, all: number, digits = 1) => `${percentDone(done, all, digits).toFixed(digits)} %`;

export type Zone = 'UTC' | 'local';

/** The zone of all times on the page. */
export let zone: Zone = 'UTC';

/** Shows times in this zone, from the next rendering on. */
export function showTimesIn(next: Zone) {
  zone = next;
}

/** A time formatted as in `lib/words.ts`, but in the reader's zone. */
export function time(iso: string | number) {
  const date = new Date(iso);
  const at = date.getTime();
  return Number.isNaN(at) ? String(iso) : `${columnTime(isoIn(at))} ${zone === 'UTC' ? zone : offsetOf(date)}`;
}

/** The offset of local time from UTC, such as `+01:00`. */
const offsetOf = (date: Date) => date.toLocaleString('en', { timeZoneName: 'longOffset' }).split('GMT')[1] || '+00:00';

/** A sentence with its times in the reader's format. */
export const inZone = (sentence: string) => sentence.replaceAll(isoTime, (iso) => time(iso));

/** The time of day, for axes and rows with the zone shown above them. */
export const clock = (at: number, withMilliseconds = false) => isoIn(at).slice(11, withMilliseconds ? 23 : 19);

/** The label of a tick: the time of day or, at midnight, the date. */
export function tickLabel(at: number, withMilliseconds: boolean) {
  const words = clock(at, withMilliseconds);
  return /^00:00:00(.000)?$/.test(words) ? isoIn(at).slice(0, 10) : words;
}

/** A time in ISO 8601 form, in the chosen zone, but without the zone's name. */
const isoIn = (at: number) =>
  new Date(zone === 'UTC' ? at : at - new Date(at).getTimezoneOffset() * 60_000).toISOString();

/** An approximate age. */
export const age = (seconds: number) => (seconds < 1.5 ? 'now' : `${wholeDuration(seconds)} ago`);

/** A refusal without the name of the tool that lists the existing values, since the page has a list. */
export const refusalForPeople = (sentence: string) => sentence.replace(/[,;] list_\w+ lists (all|the others)/, '');

/** The ids of executions that a refusal suggests. */
export const proposedIn = (refusal: string) =>
  (/^EXECUTION_NOT_FOUND.*(?:the nearest:|its execution id,) ([^;]+)/.exec(refusal)?.[1] ?? '')
    .split(', ')
    .filter(Boolean);

/** The duration of an execution, or how long its driver has been silent. */
export const tookOf = ({
  duration_seconds,
  silent_seconds: silent,
}: Pick<ExecutionRow, 'duration_seconds' | 'silent_seconds'>) =>
  silent === undefined ? durationIfKnown(duration_seconds) : `silent for ${duration(silent)}`;

/** A duration; empty while it is unknown because the clock is behind. */
export const durationIfKnown = (seconds: number | undefined) => (seconds === undefined ? '' : duration(seconds));

/**
 * The time of day of a row, to the millisecond; preceded by the date if the row above has a different date. A
 * text that is not a time stays unchanged.
 */
export function rowTime(iso: string, above: string | undefined) {
  const shown = (text = '') => (Number.isNaN(Date.parse(text)) ? text : isoIn(Date.parse(text)));
  const at = shown(iso);
  return at.slice(shown(above).slice(0, 10) === at.slice(0, 10) ? 11 : 0, 23).replace('T', ' ');
}

/** A tool's note without the sentences that name its arguments: a person has buttons and fields for those. */
export const noteForPeople = (note = '') =>
  note
    .split(/(?<=\.)\s+/)
    .filter((sentence) => !/[a-z]_[a-z]/.test(sentence))
    .join(' ');
