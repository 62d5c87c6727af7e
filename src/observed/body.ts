import { isUtf8 } from 'node:buffer';

import { readJson } from '../lib/read-json.ts';
import { sha256 } from '../lib/sha256.ts';
import { maskText, maskValue } from './masking.ts';

/**
 * A body as a recording keeps it. JSON stays JSON if writing it again gives the same text, apart from spaces; all other text stays text. Binary data and
 * bodies over a megabyte are kept as size and digest.
 */
export type KeptBody = { body: unknown } | { text: string } | { size: number; sha256: string };

/** Deeper bodies are kept as text: nothing in the testbed is a tenth as deep, and code that walks through a body must return. */
const maxDepth = 100;

/** Converts a body from the wire to its kept form, without secrets. */
export function keepBody(bytes: Buffer): KeptBody {
  if (!isUtf8(bytes)) return { size: bytes.length, sha256: sha256().update(bytes).digest('hex') };
  return keepText(bytes.toString('utf8'));
}

/** The same for a text body. */
export function keepText(text: string): KeptBody {
  const value = readJson(text);
  if (value === undefined || !isShallow(value)) return { text: maskText(text) };
  const masked = maskValue(value);
  if (compact(text) === JSON.stringify(value)) return { body: masked };
  // A text cannot be masked as reliably as a value: if it holds a secret, keep the value in its place.
  const maskedText = JSON.stringify(masked);
  return { text: maskedText === JSON.stringify(value) ? maskText(text) : maskedText };
}

/** The same for a body that is a JSON value, as in a recording. */
export const keepValue = (value: unknown): KeptBody =>
  isShallow(value) ? { body: maskValue(value) } : { text: maskText(JSON.stringify(value)) };

/** Whether a value is nested no deeper than `maxDepth`. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth < maxDepth && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}

const token = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[^\s"\d-]+/gy;

/**
 * A JSON text without spaces, with strings and numbers as JavaScript writes them, and all else in place. Duplicate keys stay, and so do numbers that
 * JavaScript cannot hold, so that neither matches the text written from the value.
 */
const compact = (text: string): string => text.replace(token, (one) => writtenToken(one));

function writtenToken(one: string): string {
  const first = one.charCodeAt(0);
  // A space, a tab, an end of line.
  if (first <= 32) return '';
  if (one.startsWith('"')) return JSON.stringify(JSON.parse(one));
  return first === 45 || (first >= 48 && first <= 57) ? writtenNumber(one) : one;
}

function writtenNumber(told: string): string {
  const value = Number(told);
  // Beyond the safe integers, or with more digits than a double has, the number has changed.
  const digits = told.replace(/[eE].*$|\D/g, '').replace(/^0+|0+$/g, '');
  const isExact =
    Number.isFinite(value) && digits.length <= 17 && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact ? JSON.stringify(value) : told;
}
