/** The words of a text, for a long list of names in code. */
export const wordsOf = (text: string): string[] => text.trim().split(/\s+/);
