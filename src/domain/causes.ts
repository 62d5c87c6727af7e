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

/** Failures of one cause. */
export interface CauseCount {
  /** Told as the error has it where all of these have the same words; else with what differs made alike, as `causeOf` does. */
  cause: string;
  attempts: number;
  /** One of the errors as it was, where the cause is made of several. */
  example: string | undefined;
}

/** Counts failures by their causes, the most frequent first. */
export function countCauses(errors: Iterable<string>): CauseCount[] {
  const groups = new Map<string, { attempts: number; example: string; isOne: boolean }>();
  for (const error of errors) {
    const cause = causeOf(error);
    const words = plainWords(error);
    const group = groups.get(cause);
    if (group === undefined) groups.set(cause, { attempts: 1, example: words, isOne: true });
    else {
      group.attempts += 1;
      group.isOne &&= group.example === words;
    }
  }
  return [...groups]
    .map(([cause, { attempts, example, isOne }]) =>
      isOne ? { cause: example, attempts, example: undefined } : { cause, attempts, example },
    )
    .toSorted((a, b) => b.attempts - a.attempts);
}

/** An error without the words that every failure of a payload has. */
const plainWords = (error: string): string =>
  shortened(error.slice(0, mostRead)).replaceAll(/\s+/g, ' ').trim().slice(0, longest);
