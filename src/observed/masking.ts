/** Stands where a secret stood. */
const mask = '***';

const secretName = /token|password|secret|authorization/i;

/** The user part of a URL. The length of a scheme is bounded: a long word must not be looked at again from each of its letters. */
const userOfUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>\\]*@/gi;

/**
 * A key with its value within a text that is not read as JSON: as JSON, as a query, or as a header. A value has no end that it must have, so that each letter
 * is looked at once.
 */
const secretInText =
  /((?:token|password|secret|authorization)[\w-]{0,40}\\?["']?\s{0,20}[:=]\s{0,20})(?:\\?"(?:[^"\\]|\\[^"])*(?:\\?")?|'[^']*'?|(?:(?:Bearer|Token|Basic|ApiKey|Digest|Negotiate)\s{1,3})?[^\s,;&"'}\]]+)/gi;

/** A text without the secrets in it. */
export function maskText(text: string): string {
  // Nearly every text has neither, and to look for these costs a tenth.
  const withoutUsers = text.includes('://') ? text.replace(userOfUrl, `$1${mask}@`) : text;
  return secretName.test(withoutUsers)
    ? withoutUsers.replace(secretInText, (_, key: string) => `${key}${mask}`)
    : withoutUsers;
}

/**
 * A value of JSON without the secrets in it: the values of keys that name one, and the users of URLs in every text. The order of keys stays. A key of the
 * wire that is not there stays absent, and `null` says as much.
 */
export function maskValue(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      maskText(key),
      secretName.test(key) ? masked(inner) : maskValue(inner),
    ]),
  );
}

const masked = (value: unknown): unknown => (value === null || value === '' ? value : mask);
