import { ownWords, shortened } from '../../domain/causes.ts';
import { duration } from '../../lib/duration.ts';
import { shortPaths, textOf } from '../../lib/words.ts';
import type { Column } from './layout.ts';

/** One row of a tool's answer. */
export type Item = Readonly<Record<string, unknown>>;

/** A column with the text that it shows of a row. */
export interface ShownColumn extends Column {
  of: (item: Item) => string;
}

/** Columns whose text is made of one field of a row. */
const columnsOf =
  (textIn: (value: unknown) => string, usual: Partial<Column> = {}) =>
  (head: string, key: string, rest: Partial<Column> = {}): ShownColumn => ({
    head,
    of: (item) => textIn(item[key]),
    ...usual,
    ...rest,
  });

export const column = columnsOf(textOf);

export const state = columnsOf(textOf, { isState: true });

/** A file or an id: its end tells most. */
export const name = columnsOf(textOf, { cut: 'start', least: 24 });

export const number = columnsOf(textOf, { align: 'right' });

/** UTC to the second. */
export const time = columnsOf((value) => textOf(value).slice(0, 19).replace('T', ' '));

export const seconds = columnsOf((value) => (typeof value === 'number' ? duration(value) : ''), { align: 'right' });

/** An error without the words that every payload failure has, and with the ends of its paths; then without that the payload ended. */
export const shortError = [(error: string): string => shortPaths(shortened(error), 20), ownWords] as const;

/** A log line with the ends of its paths; then without those words in its middle, and without what became of the slice that it names. */
export const shortLine = [
  (message: string): string => shortPaths(message, 20),
  (message: string): string =>
    message.replace(/PAYLOAD_FAILED: \S+ ended with exit code \d+[^;]*; its last words: /, ''),
  (message: string): string =>
    message.replace(/ (?:stays failed after \w+ attempts?|failed in attempt \d+ of \d+ and is queued again): /, ': '),
] as const;

/** The names of files. */
export const namesOf = (files: unknown): string =>
  Array.isArray(files) ? files.map((file: { name?: unknown }) => textOf(file.name)).join(', ') : '';

/** Why an agent leaves work to others: each reason once. */
export const offDutyOf = ({ off_duty: kinds = [] }: Item): string =>
  [...new Set((kinds as { reason: string }[]).map(({ reason }) => reason))].join(' ');
