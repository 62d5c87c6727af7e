import { printable } from './printable.ts';

/** A clause about a value, such as ` (its reason)`; empty if there is no value. */
export const clause = (before: string, value: string | number | null | undefined, after = '') =>
  value === undefined || value === null ? '' : `${before}${value}${after}`;

/** Splits a text into words: for long lists of names in code. */
export const wordsOf = (text: string) => text.trim().split(/\s+/);

/**
 * The beginning of a text, at most `most` characters, ending at a word boundary if possible, with `…` where it
 * was cut.
 */
export function clipWords(text: string, most: number) {
  if (text.length <= most) return text;
  const part = text.slice(0, most - 1);
  const space = text[most - 1] === ' ' ? part.length : part.lastIndexOf(' ');
  const kept = space > most / 2 ? part.slice(0, space) : part.replace(/[\uD800-\uDBFF]$/, '');
  return `${kept.trimEnd()}…`;
}

/** Shortens the digests in a text that people read: the first digits of each are enough to compare by eye. */
export const shortDigests = (text: string) => text.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');

/**
 * Shortens long paths in a sentence to their last two parts: the reason that follows a path matters more than
 * its folders. URLs are kept.
 * @param max a path no longer than this stays as it is
 */
export const shortPaths = (text: string, max = 40) =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= max ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );

/** The length up to which a statement is kept whole. */
const shortEnough = 100;

/**
 * The first statement of a sentence, without its remarks in parentheses. If the statement is long, the part
 * after its last colon is dropped too.
 */
export function headOf(sentence: string) {
  const head = sentence.replaceAll(/ ?\([^()]*\)/g, '').replace(/(?:[.;] .*|[.;])$/s, '');
  return head.length <= shortEnough ? head : head.replace(/: (?:(?!: ).)*$/s, '');
}

/** A person's name as shown; if it was only claimed, with the name of the message's sender. */
export const claimedName = (name: string, sentBy: string | null | undefined) =>
  sentBy === null || sentBy === undefined ? name : `${name} (as ${sentBy} claims)`;

/**
 * A value from a message, an answer or a row, as text: strings unchanged, other values as JSON, null and
 * undefined as an empty string.
 */
export const textOf = (value: unknown) =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/**
 * A CSV record as in RFC 4180, with its line end. Fields with commas, quotes or line breaks are quoted;
 * missing values are empty.
 */
export const csvRecord = (values: readonly unknown[]) => `${values.map(csvField).join(',')}\r\n`;

/** Rows as CSV: a record with the field names, then one for each row. */
export const csvText = (fields: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]) =>
  [fields, ...rows.map((row) => fields.map((field) => row[field]))].map(csvRecord).join('');

function csvField(value: unknown) {
  const text = textOf(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Turns text from elsewhere into one line of limited length that cannot act as Markdown or HTML. */
export function markdownText(text: string, most = 160) {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  // An underscore within a word needs no escape.
  return printable(
    clipWords(line, most).replaceAll(
      /[\\`*{}[\]<>#|!~&$@]|:(?=\/\/)|(?<=\bwww)\.|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g,
      String.raw`\$&`,
    ),
  );
}

/**
 * An ISO 8601 time in the form that people read in terminals, Markdown and notifications (`2026-12-01 08:02:14
 * UTC`), but without the zone: for a column whose heading names the zone. The page shows times in the reader's
 * zone (`web/shared/format.ts`).
 */
export const columnTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

/** A time in the form that people read, with its zone, for places where no heading names the zone. */
export const shownTime = (iso: string) => `${columnTime(iso)} UTC`;

/** The time of day, for places where space is scarce and the date is today's. */
export const timeOfDay = (iso: string) => `${iso.slice(11, 19)} UTC`;

/** Matches a time in the form that answers use, unless it is in a quoted command or part of a longer word. */
export const isoTime = /(?<![^\s(])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?!\S*\w)(?=[^"]*(?:"[^"]*"[^"]*)*$)/g;

/** A line with its times in the form that people read. */
export const withPlainTimes = (line: string) => line.replaceAll(isoTime, (iso) => shownTime(iso));
