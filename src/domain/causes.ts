/** Parts of an error that differ from slice to slice, and what stands for them. */
const variable: readonly (readonly [RegExp, string])[] = [
  // Names of files and paths: with what is left of a path nobody could group.
  [/(?:\/[^\s'":,;()]+)+/g, 'PATH'],
  [/\b[\w.-]*\.(?:tf|stf|root|dat|h5|json|log|txt)\b/g, 'FILE'],
  [/\b0x[0-9a-f]+\b/gi, 'ADDRESS'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID'],
  [/\b\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, 'N'],
];

/** An exit code is no number among others: it says which failure it was. */
const kept = /\b(exit code|signal|status|errno) (\d+)/g;

const longest = 300;

/**
 * The cause of a failure: its error with numbers, names of files and addresses made alike, so that a hundred failures of one kind are told as
 * one. Everything that groups failures uses it.
 */
export function causeOf(error: string): string {
  const codes: string[] = [];
  // Digits that are kept are put out of the way, as a mark without any.
  let cause = error.replaceAll(kept, (_, word: string, code: string) => {
    codes.push(code);
    return `${word} \u0001`;
  });
  for (const [pattern, word] of variable) cause = cause.replaceAll(pattern, word);
  return cause
    .replaceAll('\u0001', () => codes.shift() ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longest);
}
