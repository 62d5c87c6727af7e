import { printable } from './printable.ts';

/** A clause about a value, such as ` (its reason)`; empty without a value. */
export const clause = (before: string, value: string | number | null | undefined, after = '') =>
  value === undefined || value === null ? '' : `${before}${value}${after}`;

/** The words of a text, for a long list of names in code. */
export const wordsOf = (text: string) => text.trim().split(/\s+/);

/**
 * The beginning of a text, at most `most` characters, ending at a word if possible, with `…` where it was
 * cut.
 */
export function clipWords(text: string, most: number): string {
  if (text.length <= most) return text;
  const part = text.slice(0, most - 1);
  const space = text[most - 1] === ' ' ? part.length : part.lastIndexOf(' ');
  const kept = space > most / 2 ? part.slice(0, space) : part.replace(/[\uD800-\uDBFF]$/, '');
  return `${kept.trimEnd()}…`;
}

/** Shortens the digests in a text for people: the first digits are enough to compare by eye. */
export const shortDigests = (text: string) => text.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');

/**
 * Shortens long paths in a sentence to their last two parts: the reason after them matters more than their
 * folders. URLs stay.
 * @param max a path of this length or less stays as it is
 */
export const shortPaths = (text: string, max = 40) =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= max ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );

/** The longest statement to keep whole. */
const shortEnough = 100;

/** The first statement of a sentence, without its remarks, and of a long one without its last explanation. */
export function headOf(sentence: string): string {
  const head = sentence.replaceAll(/ ?\([^()]*\)/g, '').replace(/(?:[.;] .*|[.;])$/s, '');
  return head.length <= shortEnough ? head : head.replace(/: (?:(?!: ).)*$/s, '');
}

/** A person's name as shown, with its sender if the name is only claimed. */
export const claimedName = (name: string, sentBy: string | null | undefined) =>
  sentBy === null || sentBy === undefined ? name : `${name} (as ${sentBy} claims)`;

/**
 * A value of a message, an answer or a row as text: strings unchanged, other values as JSON, null and
 * undefined as an empty string.
 */
export const textOf = (value: unknown) =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/**
 * A CSV record as in RFC 4180, with its line end. Fields with commas, quotes or line breaks are quoted;
 * missing values are empty.
 */
export const csvRecord = (values: readonly unknown[]) => `${values.map(csvField).join(',')}\r\n`;

/** Rows as CSV: a record of the names of the fields, and one for each row. */
export const csvText = (fields: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]) =>
  [fields, ...rows.map((row) => fields.map((field) => row[field]))].map(csvRecord).join('');

function csvField(value: unknown) {
  const text = textOf(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Escapes a foreign text so that it makes no Markdown or HTML: one line, no marks, not too long. */
export function markdownText(text: string, most = 160): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  // An underscore within a word marks nothing.
  return printable(
    clipWords(line, most).replaceAll(
      /[\\`*{}[\]<>#|!~&$@]|:(?=\/\/)|(?<=\bwww)\.|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g,
      String.raw`\$&`,
    ),
  );
}

/**
 * How people read a time in ISO 8601: in terminals, Markdown and notifications as `2026-12-01 08:02:14 UTC`, here without the zone, for a
 * column whose head names it. The page has it in the reader's zone (`web/shared/format.ts`).
 */
export const columnTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

/** The same where it stands alone. */
export const shownTime = (iso: string) => `${columnTime(iso)} UTC`;

/** The time of day, where room is scarce and the day is now. */
export const timeOfDay = (iso: string) => `${iso.slice(11, 19)} UTC`;

/** A time in the form of answers, outside a command to copy. */
export const isoTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=[^"]*(?:"[^"]*"[^"]*)*$)/g;

/** A line with its times as people read them. */
export const withPlainTimes = (line: string) => line.replaceAll(isoTime, (iso) => shownTime(iso));
