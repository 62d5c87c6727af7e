import { duration } from '../shared/duration.ts';
import type { Column } from './layout.ts';

/** One row of a tool's answer. */
export type Item = Readonly<Record<string, unknown>>;

/** A column with the text that it shows of a row. */
export interface ShownColumn extends Column {
  of: (item: Item) => string;
}

/** A value as a cell shows it. */
export const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

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

/** The names of files. */
export const namesOf = (files: unknown): string =>
  Array.isArray(files) ? files.map((file: { name?: unknown }) => textOf(file.name)).join(', ') : '';

/** Fields whose values need no name, the most telling first. */
const plainFields = [
  'slice_filename',
  'tf_filename',
  'filename',
  'value',
  'state',
  'status',
  'error',
  'reason',
  'text',
  'sentence',
];

/** Fields that say nothing to people. */
const technical: ReadonlySet<string> = new Set(['command_id', 'simulation_tick', 'output_tail', 'payload', 'file_url']);

/** The body of a message in one line: what it is about and how it went, then its other fields as `name=value`. */
export function bodyOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return textOf(body);
  const fields = Object.entries(body).filter(([field]) => !technical.has(field));
  const plain = plainFields.flatMap((key) => fields.filter(([field]) => field === key));
  // A slice's name has its file's in it, and some reasons repeat the state.
  const isSlice = plain.some(([field]) => field === 'slice_filename');
  const words = new Set(
    plain.filter(([field]) => !isSlice || field !== 'tf_filename').map(([, value]) => textOf(value)),
  );
  const others = fields.filter((field) => !plain.includes(field));
  return [...words, ...others.map(([key, value]) => `${key}=${textOf(value)}`)].join(' ');
}

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
