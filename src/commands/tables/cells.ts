import type * as z from 'zod';

import { beforeCause, ownWords, shortened } from '../../domain/causes.ts';
import { listColumns, type Look, shownColumns } from '../../domain/list-columns.ts';
import { bodyOf } from '../../domain/shown.ts';
import { duration } from '../../lib/duration.ts';
import { columnTime, shortPaths, textOf, withPlainTimes } from '../../lib/words.ts';
import type { Column, ShownColumn } from '../shared/layout.ts';
import type { TableCommand } from './catalogue.ts';

/** One row of a tool's answer. */
export type Item = Readonly<Record<string, unknown>>;

/**
 * An error without the words that every payload failure has, and with the ends of its paths; then without the
 * statement that the payload ended.
 */
export const shortError = [(error: string) => shortPaths(shortened(error), 20), ownWords] as const;

/**
 * A log line with the ends of its paths; then without those words in its middle, and without the outcome of
 * the slice that it names.
 */
const shortLine = [
  (message: string) => shortPaths(message, 20),
  (message: string) => message.replace(/PAYLOAD_FAILED: \S+ ended with exit code \d+[^;]*; its last words: /, ''),
  (message: string) => message.replace(beforeCause, 'slice $1: '),
] as const;

/** The names of files. */
export const namesOf = (files: unknown) =>
  Array.isArray(files) ? files.map((file: { name?: unknown }) => textOf(file.name)).join(', ') : '';

/** Why an agent leaves work to others, each reason once. */
const reasonsOf = (kinds: unknown) =>
  [...new Set(((kinds ?? []) as { reason: string }[]).map(({ reason }) => reason))].join(' ');

const secondsOf = (value: unknown) => (typeof value === 'number' ? duration(value) : '');

/** With its times as in the other columns. */
const sentenceOf = (value: unknown) => withPlainTimes(textOf(value));

/** What a terminal shows for a value, and how. */
const looks: Readonly<Record<Look, Partial<Column> & { textIn?: (value: unknown, item: Item) => string }>> = {
  text: {},
  state: { isState: true },
  // A file or an id: its end is the most significant.
  name: { cut: 'start', least: 24 },
  // They mostly differ at the end.
  id: { cut: 'middle', least: 12, isName: true },
  person: { least: 8 },
  // Its health while it runs, or else how it ended, or since when that is unknown.
  standing: {
    isState: true,
    textIn: (status, { health, status_reason: reason }) =>
      status === 'unknown' ? sentenceOf(reason) : textOf((health !== 'finished' && health) || status),
  },
  number: { align: 'right' },
  // Slices; without them, STF files.
  failed: { align: 'right', textIn: (slices, { stf_failed: files }) => textOf(slices ?? files) },
  time: { isWhole: true, textIn: (value) => columnTime(textOf(value)) },
  seconds: { align: 'right', textIn: secondsOf },
  life: {
    align: 'right',
    textIn: (took, { silent_seconds: silent }) =>
      typeof silent === 'number' ? `silent ${duration(silent)}` : secondsOf(took),
  },
  error: { isWrapped: true, least: 40, shorten: shortError },
  'log line': { isWrapped: true, least: 30, shorten: shortLine, textIn: sentenceOf },
  sentence: { isWrapped: true, least: 30, textIn: sentenceOf },
  body: { isWrapped: true, least: 44, textIn: (body, { payload }) => bodyOf(body ?? payload) },
  files: { textIn: namesOf },
  reasons: { textIn: reasonsOf },
};

/** The columns that a table shows; a wide one has those that it does not name last. */
export function columnsOf({ tool, columns, wide }: TableCommand, isWide: boolean): ShownColumn<Item>[] {
  const schemas: Readonly<Record<string, z.ZodType>> = listColumns(tool);
  const named = [...columns, ...wide];
  const others = Object.keys(schemas).filter((name) => !named.includes(name));
  return (isWide ? [...named, ...others] : columns).flatMap((name) => {
    const shown = shownColumns.get(schemas[name] as z.ZodType);
    if (shown === undefined) return [];
    const { textIn = textOf, ...layout } = looks[shown.look];
    const head = shown.look === 'time' ? `${shown.head} (UTC)` : shown.head;
    return { head, drop: shown.drop, ...layout, of: (item) => textIn(item[name], item) };
  });
}
