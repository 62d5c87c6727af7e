import { isUtf8 } from 'node:buffer';

import { readJson } from '../lib/read-json.ts';
import { sha256 } from '../lib/sha256.ts';

/**
 * A body in the form in which a recording keeps it. JSON stays JSON if writing it again gives the same text,
 * apart from spaces; all other text stays text. Binary data and bodies over a megabyte are kept as size and
 * digest.
 */
export type KeptBody = { body: unknown } | { text: string } | { size: number; sha256: string };

/**
 * Deeper bodies are kept as text: nothing in the testbed is a tenth as deep, and code that walks through a
 * body must terminate.
 */
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
  // A text cannot be masked as reliably as a value: if it holds a secret, keep the value instead.
  const maskedText = JSON.stringify(masked);
  return { text: maskedText === JSON.stringify(value) ? maskText(text) : maskedText };
}

/** The same for a body that is a JSON value, as in a recording. */
export const keepValue = (value: unknown) =>
  isShallow(value) ? { body: maskValue(value) } : { text: maskText(JSON.stringify(value)) };

/** Whether a value is nested no deeper than `maxDepth`. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth < maxDepth && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}

const token = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[^\s"\d-]+/gy;

/**
 * A JSON text without spaces, with strings and numbers as JavaScript writes them, and otherwise unchanged.
 * Duplicate keys stay, and so do numbers that JavaScript cannot hold, so that neither matches the text
 * written from the value.
 */
const compact = (text: string) => text.replace(token, (one) => writtenToken(one));

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

/** Replaces a secret. */
const mask = '***';

const secretName = /token|password|secret|authorization/i;

/**
 * The user part of a URL. The length of a scheme is bounded, so that a long word is not scanned again from
 * each of its letters.
 */
const userOfUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>\\]*@/gi;

/**
 * A key with its value within a text that is not parsed as JSON: written as JSON, as a query, or as a header.
 * A value needs no terminator, so that each letter is scanned once.
 */
const secretInText =
  /((?:token|password|secret|authorization)[\w-]{0,40}\\?["']?\s{0,20}[:=]\s{0,20})(?:\\?"(?:[^"\\]|\\[^"])*(?:\\?")?|'[^']*'?|(?:(?:Bearer|Token|Basic|ApiKey|Digest|Negotiate)\s{1,3})?[^\s,;&"'}\]]+)/gi;

export function maskText(text: string): string {
  // Nearly every text has neither, and checking for these costs a tenth.
  const withoutUsers = text.includes('://') ? text.replace(userOfUrl, `$1${mask}@`) : text;
  return secretName.test(withoutUsers)
    ? withoutUsers.replace(secretInText, (_, key: string) => `${key}${mask}`)
    : withoutUsers;
}

/**
 * Masks the secrets in a JSON value: the values of keys that name a secret, and the users of URLs in every
 * text. The order of keys stays. Absent keys stay absent, and `null` stays `null`.
 */
export function maskValue(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      maskText(key),
      secretName.test(key) && inner !== null && inner !== '' ? mask : maskValue(inner),
    ]),
  );
}
