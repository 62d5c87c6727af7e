/** The words of a text, for a long list of names in code. */
export const wordsOf = (text: string): string[] => text.trim().split(/\s+/);

/** The beginning of a text, at most `most` characters, ending at a word where it has one, with `…` where it was cut. */
export function clipWords(text: string, most: number): string {
  if (text.length <= most) return text;
  const part = text.slice(0, most - 1);
  const space = text[most - 1] === ' ' ? part.length : part.lastIndexOf(' ');
  const kept = space > most / 2 ? part.slice(0, space) : part.replace(/[\uD800-\uDBFF]$/, '');
  return `${kept.trimEnd()}…`;
}
