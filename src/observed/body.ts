import { isUtf8 } from 'node:buffer';

import { readJson } from '../lib/read-json.ts';
import { sha256 } from '../lib/sha256.ts';

/**
 * A body as kept in a recording. JSON stays JSON if serializing it again gives the same text, apart from
 * spaces; all other text stays text. For binary data and bodies over a megabyte, only the size and digest are
 * kept.
 */
export type KeptBody = { body: unknown } | { text: string } | { size: number; sha256: string };

/**
 * Bodies nested more deeply than this are kept as text: no body in the testbed is a tenth as deep, and code
 * that walks through a body must terminate.
 */
const maxDepth = 100;

/** Converts a body from the wire to its kept form, without secrets. */
export function keepBody(bytes: Buffer): KeptBody {
  if (!isUtf8(bytes)) return { size: bytes.length, sha256: sha256().update(bytes).digest('hex') };
  return keepText(bytes.toString('utf8'));
}

/** Converts a text body to its kept form, without secrets. */
export function keepText(text: string): KeptBody {
  const value = readJson(text);
  if (value === undefined || !isShallow(value)) return { text: maskText(text) };
  const masked = maskValue(value);
  if (compact(text) === JSON.stringify(value)) return { body: masked };
  // Secrets in a text cannot be masked as reliably as in a value, so if there are any, keep the masked value as
  // JSON.
  const maskedText = JSON.stringify(masked);
  return { text: maskedText === JSON.stringify(value) ? maskText(text) : maskedText };
}

/** Converts a body that is a JSON value, as in a recording, to its kept form. */
export const keepValue = (value: unknown) =>
  isShallow(value) ? { body: maskValue(value) } : { text: maskText(JSON.stringify(value)) };

/** Whether a value is nested no deeper than `maxDepth`. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth < maxDepth && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}

const token = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[^\s"\d-]+/gy;

/**
 * Removes the spaces from a JSON text, and writes its strings and numbers as JavaScript does. Keeps duplicate
 * keys, and numbers that JavaScript cannot represent, so that the result for such a text differs from its value
 * serialized again.
 */
const compact = (text: string) => text.replace(token, (one) => writtenToken(one));

function writtenToken(one: string) {
  const first = one.charCodeAt(0);
  // A space, a tab or a line break.
  if (first <= 32) return '';
  if (one.startsWith('"')) return JSON.stringify(JSON.parse(one));
  return first === 45 || (first >= 48 && first <= 57) ? writtenNumber(one) : one;
}

function writtenNumber(told: string) {
  const value = Number(told);
  // A number beyond the safe integers, or with more digits than a double can hold, would change.
  const digits = told.replace(/[eE].*$|\D/g, '').replace(/^0+|0+$/g, '');
  const isExact =
    Number.isFinite(value) && digits.length <= 17 && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact ? JSON.stringify(value) : told;
}

/** Replaces a secret. */
const mask = '***';

const secretName = /token|password|secret|authorization/i;

/**
 * The user part of a URL. The length of a scheme is bounded so that a long word is not scanned again from
 * each letter.
 */
const userOfUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>\\]*@/gi;

/**
 * A key with its value, within a text that is not parsed as JSON: written as JSON, as a query, or as a header.
 * The pattern does not require a terminator after a value, so that each letter is scanned only once.
 */
const secretInText =
  /((?:token|password|secret|authorization)[\w-]{0,40}\\?["']?\s{0,20}[:=]\s{0,20})(?:\\?"(?:[^"\\]|\\[^"])*(?:\\?")?|'[^']*'?|(?:(?:Bearer|Token|Basic|ApiKey|Digest|Negotiate)\s{1,3})?[^\s,;&"'}\]]+)/gi;

export function maskText(text: string) {
  // Most texts contain neither a URL nor a secret, and these checks take a tenth of the time of a replacement.
  const withoutUsers = text.includes('://') ? text.replace(userOfUrl, `$1${mask}@`) : text;
  return secretName.test(withoutUsers)
    ? withoutUsers.replace(secretInText, (_, key: string) => `${key}${mask}`)
    : withoutUsers;
}

/**
 * Masks the secrets in a JSON value: the values of keys that name a secret, and the user parts of URLs in every
 * text. Keeps the order of the keys; absent keys and `null` stay as they are.
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
