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
 * How to shorten an error, step by step: drop the words common to all payload failures, and keep only the ends
 * of paths; then keep only the payload's own words.
 */
export const shortError = [(error: string) => shortPaths(shortened(error), 20), ownWords] as const;

/**
 * How to shorten a log line, step by step: keep only the ends of paths; drop the words common to all payload
 * failures; drop the outcome of the slice that the line names.
 */
const shortLine = [
  (message: string) => shortPaths(message, 20),
  (message: string) => message.replace(/PAYLOAD_FAILED: \S+ ended with exit code \d+[^;]*; its last words: /, ''),
  (message: string) => message.replace(beforeCause, 'slice $1: '),
] as const;

/** The names of files. */
export const namesOf = (files: unknown) =>
  Array.isArray(files) ? files.map((file: { name?: unknown }) => textOf(file.name)).join(', ') : '';

/** Why an agent leaves work to others, naming each reason once. */
const reasonsOf = (kinds: unknown) =>
  [...new Set(((kinds ?? []) as { reason: string }[]).map(({ reason }) => reason))].join(' ');

const secondsOf = (value: unknown) => (typeof value === 'number' ? duration(value) : '');

/** A sentence, with its times in the format of the other columns. */
const sentenceOf = (value: unknown) => withPlainTimes(textOf(value));

/** How a terminal shows a value. */
const looks: Readonly<Record<Look, Partial<Column> & { textIn?: (value: unknown, item: Item) => string }>> = {
  text: {},
  state: { isState: true },
  // A file name or an id: its end matters most.
  name: { cut: 'start', least: 24 },
  // Ids differ mostly at the end.
  id: { cut: 'middle', least: 12, isName: true },
  person: { least: 8 },
  // The execution's health while it runs, how it ended, or since when nothing has been heard of it.
  standing: {
    isState: true,
    least: 27,
    // The day, hour and minute of a time suffice, or the day alone.
    shorten: [(state) => state.replace(/\d{4}-(\S+ \d\d:\d\d).*/, '$1'), (state) => state.replace(/ \d\d:\d\d$/, '')],
    textIn: (status, { health, status_reason: reason }) =>
      status === 'unknown' ? sentenceOf(reason) : textOf((health !== 'finished' && health) || status),
  },
  number: { align: 'right' },
  // The number of failed slices or, without slices, of failed STF files.
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

/** The columns that a table shows; a wide table ends with the columns that neither `columns` nor `wide` lists. */
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
