/** Takes the place of a secret. */
const mask = '***';

const secretName = /token|password|secret|authorization/i;

/** The user part of a URL. The length of a scheme is bounded, so that a long word is not scanned again from each of its letters. */
const userOfUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>\\]*@/gi;

/**
 * A key with its value within a text that is not parsed as JSON: written as JSON, as a query, or as a header. A value needs no terminator, so that each
 * letter is scanned once.
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
 * Masks the secrets in a JSON value: the values of keys that name a secret, and the users of URLs in every text. The order of keys stays. Absent keys
 * stay absent, and `null` stays `null`.
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
