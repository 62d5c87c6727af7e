/** Parts of an error that differ from slice to slice, and what stands for them. */
const variable: readonly (readonly [RegExp, string])[] = [
  // Of a path its last part: folders have the names of slices.
  [/(?<!<)(?:\/[^\s'":,;()/<>]+)*\/([^\s'":,;()/<>]+)/g, '…/$1'],
  [/\b[\w.-]{1,200}\.(?:tf|stf|root|dat|h5|json|log|txt)\b/g, 'FILE'],
  [/\b0x[0-9a-f]+\b/gi, 'ADDRESS'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID'],
  // An address without its mark has letters and digits, and is long enough to be no word.
  [/\b(?=[0-9]*[a-f])(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, 'ADDRESS'],
  // Also within a name: node12, slice_004.
  [/\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, 'N'],
];

/** Words around the cause that every failure of a payload has. */
const shortened = (error: string): string =>
  error
    .replace(/^PAYLOAD_FAILED: /, '')
    .replace(/ after [\d.]+ s\b/, '')
    .replace('; its last words: ', ': ');

/** An exit code is no number among others: it says which failure it was. */
const kept = /\b(exit code|signal|status|errno) (\d+)/g;

/** Characters of an error that are looked at, and of a cause that are told. */
const mostRead = 600;
const longest = 300;

/**
 * The cause of a failure: its error with numbers, names of files and addresses made alike, so that a hundred failures of one kind are told as
 * one. Everything that groups failures uses it.
 */
export function causeOf(error: string): string {
  const codes: string[] = [];
  // Digits that are kept are put out of the way, as a mark without any.
  let cause = shortened(error.slice(0, mostRead)).replaceAll(kept, (_, word: string, code: string) => {
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
