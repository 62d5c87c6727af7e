import { allPrintable, printable, printableLines } from '../../lib/printable.ts';

const escapedControl = /\\u00[01]|\\[bfnrt]/;
const beyondAscii = /[^ -~]+/g;

/**
 * Whether JSON text contains anything that `printable` would change, escaped or not. Nearly all such text is
 * ASCII, recognized by having as many bytes as characters. ASCII needs no check for Unicode classes, which
 * would cost a hundred times as much.
 */
const isSuspicious = (text: string) =>
  (text.includes('\\') && escapedControl.test(text)) ||
  text.includes('\u007F') ||
  (Buffer.byteLength(text) > text.length && isChanged(text.match(beyondAscii)?.join('') ?? ''));

const isChanged = (text: string) => printable(text) !== text;

/** The fields of an answer that contain our own sentences, which may quote commands. */
const ownSentences: ReadonlySet<string> = new Set(['sentence', 'raised_sentence', 'note', 'summary', 'open']);

/** Changes our own sentences in an answer. @param isOwn whether the value is in a field with such sentences */
function withSentences(value: unknown, change: (sentence: string) => string, isOwn = false): unknown {
  if (typeof value === 'string') return isOwn ? change(value) : value;
  if (Array.isArray(value)) return value.map((inner) => withSentences(inner, change, isOwn));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withSentences(inner, change, ownSentences.has(key))]),
  );
}

/**
 * Adds the store's name to the commands quoted in an answer. The text of a hand-over, which quotes many
 * commands, is changed as a whole.
 */
function namingStore<T>(answer: T, name: (sentence: string) => string): T {
  const { text } = answer as { text?: unknown };
  return { ...(withSentences(answer, name) as T), ...(typeof text === 'string' ? { text: name(text) } : {}) };
}

/**
 * Makes an answer's texts safe to show: control, escape, direction and zero-width characters, which messages
 * and logs may contain, become escapes, so that no text can forge a line, move a cursor, or hide or reverse
 * the text next to it.
 * @param name adds the store's name to the commands quoted in a sentence; undefined if that is not needed
 */
export function harmless<T>(answer: T, name?: (sentence: string) => string): { answer: T; text: string } {
  const text = JSON.stringify(answer);
  if (name !== undefined && text.includes(String.raw`\"swf-mcp `)) return harmless(namingStore(answer, name));
  if (!isSuspicious(text)) return { answer, text };
  const safe = { ...allPrintable(answer), ...documentOf(answer) };
  return { answer: safe, text: JSON.stringify(safe) };
}

/**
 * The only field with several lines: a document that we wrote, in which each text from outside is already one
 * line.
 */
function documentOf(answer: unknown): { text?: string } {
  const { text } = answer as { text?: unknown };
  return typeof text === 'string' ? { text: printableLines(text) } : {};
}
