import { shortened } from '../../domain/causes.ts';
import { duration } from '../../lib/duration.ts';
import { shortPaths } from '../../lib/short-paths.ts';
import { textOf } from '../../lib/text-of.ts';
import type { Column } from './layout.ts';

/** One row of a tool's answer. */
export type Item = Readonly<Record<string, unknown>>;

/** A column with the text that it shows of a row. */
export interface ShownColumn extends Column {
  of: (item: Item) => string;
}

export const column = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn => ({
  head,
  of: (item) => textOf(item[key]),
  ...rest,
});

export const state = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn =>
  column(head, key, { isState: true, ...rest });

/** A file or an id: its end tells most. */
export const name = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn =>
  column(head, key, { cut: 'start', least: 24, ...rest });

export const number = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn =>
  column(head, key, { align: 'right', ...rest });

/** An error without the words that every payload failure has, and with the ends of its paths. */
export const shortError = (error: string): string => shortPaths(shortened(error), 20);

/** The names of files. */
export const namesOf = (files: unknown): string =>
  Array.isArray(files) ? files.map((file: { name?: unknown }) => textOf(file.name)).join(', ') : '';

/** UTC to the second. */
export const time = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn => ({
  head,
  of: (item) => textOf(item[key]).slice(0, 19).replace('T', ' '),
  ...rest,
});

export const seconds = (head: string, key: string, rest: Partial<Column> = {}): ShownColumn => ({
  head,
  of: (item) => (typeof item[key] === 'number' ? duration(item[key]) : ''),
  align: 'right',
  ...rest,
});

/** Why an agent leaves work to others: each reason once. */
export const offDutyOf = ({ off_duty: kinds = [] }: Item): string =>
  [...new Set((kinds as { reason: string }[]).map(({ reason }) => reason))].join(' ');
