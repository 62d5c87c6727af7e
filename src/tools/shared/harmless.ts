import { allPrintable, printableLines, unprintable } from '../../lib/printable.ts';

const escapedControl = /\\u00[01]|\\[bfnrt]/;
const beyondAscii = /[^ -~]+/g;
const suspicious = new RegExp(`[${unprintable}]`, 'u');

/** Whether JSON text holds anything that `printable` would change, escaped or not. ASCII, as nearly all is, needs no check of Unicode classes, a costly one. */
const isSuspicious = (text: string): boolean =>
  escapedControl.test(text) || suspicious.test(text.match(beyondAscii)?.join('') ?? '');

/** Escapes control, direction and zero-width characters, which messages may hold: no text can forge a line, move a cursor, or hide or reverse its neighbours. */
export function harmless<T>(answer: T): { answer: T; text: string } {
  const text = JSON.stringify(answer);
  if (!isSuspicious(text)) return { answer, text };
  const safe = { ...allPrintable(answer), ...documentOf(answer) };
  return { answer: safe, text: JSON.stringify(safe) };
}

/** The only field of an answer with several lines: a document of ours, in which each foreign text is already one line. */
function documentOf(answer: unknown): { text?: string } {
  const { text } = answer as { text?: unknown };
  return typeof text === 'string' ? { text: printableLines(text) } : {};
}
