/**
 * Characters that do more than show text, as the body of a character class in a regular expression with the
 * flag u: control characters, formatting characters such as those for text direction, private use, line and
 * paragraph separators, and all invisible ones. U+2800 and U+1D159 are invisible too, though Unicode counts
 * them as symbols.
 */
export const unprintable = String.raw`\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}`;

const each = new RegExp(`[${unprintable}]`, 'gu');

/**
 * A text as one line for a terminal. Escapes the characters of `unprintable`, so that no text can look like two
 * lines, move a cursor, or hide or reverse the text next to it.
 */
export const printable = (text: string) =>
  escaped(text, (code) => (code === 0x0a ? String.raw`\n` : `\\u{${code.toString(16)}}`));

/** A text in which each character of `unprintable` is replaced by what `escape` returns for its code point. */
export const escaped = (text: string, escape: (codePoint: number) => string) =>
  text.replaceAll(each, (character) => escape(character.codePointAt(0) ?? 0));

/**
 * The end of a text as `printable` shows it, at most `most` characters when written as JSON. Never begins
 * within an escape.
 */
export function lastPrintable(text: string, most: number): string {
  const shown: string[] = [];
  let left = most;
  // A character cut in half at the start is dropped, since the escape of its second half does not fit.
  for (const character of Array.from(text.slice(-most)).toReversed()) {
    const one = printable(character);
    left -= JSON.stringify(one).length - 2;
    if (left < 0) break;
    shown.push(one);
  }
  return shown.toReversed().join('');
}

/** Applies `printable` to each line of a text. */
export const printableLines = (text: string) => text.split('\n').map(printable).join('\n');

/** A JSON value with every text and name made `printable`. */
export function allPrintable<T>(value: T): T;
export function allPrintable(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map((inner) => allPrintable(inner as unknown));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), allPrintable(inner as unknown)]),
  );
}

/** The original of a text that `printable` has escaped. */
export const asItWas = (text: string) =>
  text.replaceAll(/\\u\{([\da-f]{1,6})\}/g, (escape, code: string) => {
    const point = Number.parseInt(code, 16);
    return point <= 0x10_ff_ff ? String.fromCodePoint(point) : escape;
  });
