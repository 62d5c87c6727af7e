import { isUtf8 } from 'node:buffer';

import { sha256 } from '../lib/sha256.ts';
import { maskText, maskValue } from './masking.ts';

/**
 * A body as a recording keeps it. JSON stays JSON where writing it again gives the same text, spaces apart; every other text stays text. Binary data, and a body of more
 * than a megabyte, are kept by size and digest.
 */
export type KeptBody = { body: unknown } | { text: string } | { size: number; sha256: string };

/** Deeper bodies are kept as text: nothing of the testbed is a tenth as deep, and code that walks through one must come back. */
const maxDepth = 100;

/** A body of the wire as it is kept, without secrets. */
export function keepBody(bytes: Buffer): KeptBody {
  if (!isUtf8(bytes)) return { size: bytes.length, sha256: sha256().update(bytes).digest('hex') };
  return keepText(bytes.toString('utf8'));
}

/** The same of a body that is text. */
export function keepText(text: string): KeptBody {
  const read = readJson(text);
  if (read === undefined) return { text: maskText(text) };
  const masked = maskValue(read.value);
  if (compact(text) === JSON.stringify(read.value)) return { body: masked };
  // A text cannot be masked as surely as a value: where there is a secret in it, the value is told in its place.
  const told = JSON.stringify(masked);
  return { text: told === JSON.stringify(read.value) ? maskText(text) : told };
}

/** The same of a body that is a value of JSON, as a recording has it. */
export const keepValue = (value: unknown): KeptBody =>
  isShallow(value) ? { body: maskValue(value) } : { text: maskText(JSON.stringify(value)) };

/** Reads a JSON text. Undefined for another text, and for one that is nested too deep. */
function readJson(text: string): { value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isShallow(value) ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is not nested deeper than anything of the testbed is. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth < maxDepth && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}

const token = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[^\s"\d-]+/gy;

/**
 * A JSON text without spaces, with texts and numbers as JavaScript writes them, and all else in its place. A key that comes twice stands there twice, and a
 * number that JavaScript cannot hold as it was told, so that neither agrees with what is written of the value.
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
  // One beyond the safe integers, or with more digits than a double has, is another number by now.
  const digits = told
    .replace(/[eE].*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  const isExact =
    Number.isFinite(value) && digits.length <= 17 && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact ? JSON.stringify(value) : told;
}
