import { allPrintable, printable, printableLines } from '../../lib/printable.ts';

const escapedControl = /\\u00[01]|\\[bfnrt]/;
const beyondAscii = /[^ -~]+/g;

/**
 * Whether JSON text holds anything that `printable` would change, escaped or as it is. Nearly all of it is
 * ASCII, which has as many bytes as characters and needs no check for Unicode classes: that costs a hundred
 * times as much.
 */
const isSuspicious = (text: string) =>
  (text.includes('\\') && escapedControl.test(text)) ||
  text.includes('\u007F') ||
  (Buffer.byteLength(text) > text.length && isChanged(text.match(beyondAscii)?.join('') ?? ''));

const isChanged = (text: string) => printable(text) !== text;

/** The fields of an answer that hold our own sentences, in which commands may be quoted. */
const ownSentences: ReadonlySet<string> = new Set(['sentence', 'raised_sentence', 'note', 'summary', 'open']);

/** An answer whose own sentences are changed. @param isOwn whether the value is of a field that holds them */
function withSentences(value: unknown, change: (sentence: string) => string, isOwn = false): unknown {
  if (typeof value === 'string') return isOwn ? change(value) : value;
  if (Array.isArray(value)) return value.map((inner) => withSentences(inner, change, isOwn));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withSentences(inner, change, ownSentences.has(key))]),
  );
}

/**
 * An answer whose quoted commands name the store; the text of a hand-over, which contains many of them, is
 * changed as a whole.
 */
function namingStore<T>(answer: T, name: (sentence: string) => string): T {
  const { text } = answer as { text?: unknown };
  return { ...(withSentences(answer, name) as T), ...(typeof text === 'string' ? { text: name(text) } : {}) };
}

/**
 * Makes an answer's texts safe to show: control, escape, direction and zero-width characters, which messages
 * and logs may hold, become escapes, so no text can forge a line, move a cursor, or hide or reverse the text
 * beside it.
 * @param name makes the commands of a sentence name the store; undefined: none needs to
 */
export function harmless<T>(answer: T, name?: (sentence: string) => string): { answer: T; text: string } {
  const text = JSON.stringify(answer);
  if (name !== undefined && text.includes(String.raw`\"swf-mcp `)) return harmless(namingStore(answer, name));
  if (!isSuspicious(text)) return { answer, text };
  const safe = { ...allPrintable(answer), ...documentOf(answer) };
  return { answer: safe, text: JSON.stringify(safe) };
}

/**
 * The only field of an answer with several lines: our own document, in which each foreign text is already one
 * line.
 */
function documentOf(answer: unknown): { text?: string } {
  const { text } = answer as { text?: unknown };
  return typeof text === 'string' ? { text: printableLines(text) } : {};
}
