/**
 * A text as one line for a terminal. Control and direction characters become escapes, so that no text can look like two
 * lines or move a cursor.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code === 0x0a ? String.raw`\n` : `\\u{${code.toString(16)}}`;
  });
}
