import { allPrintable, printableLines, unprintable } from '../../lib/printable.ts';

const escapedControl = /\\u00[01]|\\[bfnrt]/;
const beyondAscii = /[^ -~]+/g;
const suspicious = new RegExp(`[${unprintable}]`, 'u');

/**
 * Whether JSON text holds anything that `printable` would change, escaped or as it is. Nearly all of it is ASCII, in which the classes of
 * Unicode need not be looked for: they cost ten times as much.
 */
const isSuspicious = (text: string): boolean =>
  escapedControl.test(text) || suspicious.test(text.match(beyondAscii)?.join('') ?? '');

/**
 * An answer whose texts cannot do anything but be read: control, escape, direction and zero-width characters, which messages and
 * logs may hold, are shown as escapes, so no text can forge a line, move a cursor, or hide or turn around what stands beside it.
 */
export function harmless<T>(answer: T): { answer: T; text: string } {
  const text = JSON.stringify(answer);
  if (!isSuspicious(text)) return { answer, text };
  const safe = { ...allPrintable(answer), ...documentOf(answer) };
  return { answer: safe, text: JSON.stringify(safe) };
}

/** The one field of an answer that has lines: a document of ours, in which each text of others is one line already. */
function documentOf(answer: unknown): { text?: string } {
  const { text } = answer as { text?: unknown };
  return typeof text === 'string' ? { text: printableLines(text) } : {};
}
