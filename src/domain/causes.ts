/** Parts of an error that differ from slice to slice, and their replacements. */
const variable: readonly (readonly [RegExp, string])[] = [
  // Keep a path's last part: folders are named after slices.
  [/(?<!<)(?:\/[^\s'":,;()/<>]+)*\/([^\s'":,;()/<>]+)/g, '…/$1'],
  [/\b[\w.-]{1,200}\.(?:tf|stf|root|dat|h5|json|log|txt)\b/g, 'FILE'],
  [/\b0x[0-9a-f]+\b/gi, 'ADDRESS'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID'],
  // An address without 0x: letters and digits, too long to be a word.
  [/\b(?=[0-9]*[a-f])(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, 'ADDRESS'],
  // Also within a name: node12, slice_004.
  [/\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, 'N'],
];

/** Strips the words that surround the cause in every payload failure. */
const shortened = (error: string): string =>
  error
    .replace(/^PAYLOAD_FAILED: /, '')
    .replace(/ after [\d.]+ s\b/, '')
    .replace('; its last words: ', ': ')
    // As the testbed's workers report it.
    .replace(/ with returncode=(-?\d+)\. stderr \(last \d+ chars\): /, ' with exit code $1: ');

/** Keep the numbers that say which failure it was, such as exit codes. */
const kept = /\b(exit code|signal|status|errno) (\d+)/g;

/** How many characters of an error to read, and of a cause to show. */
const maxRead = 600;
const longest = 300;

/**
 * The cause of a failure: its error with numbers, file names and addresses made alike, so that a hundred failures of one kind read as one. Everything
 * that groups failures uses it.
 */
export function causeOf(error: string): string {
  const codes: string[] = [];
  // Hide the digits to keep behind a mark without digits.
  let cause = shortened(error.slice(0, maxRead)).replaceAll(kept, (_, word: string, code: string) => {
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
  /** The words that its errors share; differing words are made alike, as in `causeOf`. */
  cause: string;
  attempts: number;
  /** One of the errors as it was, if they differ. */
  example: string | undefined;
}

/** Errors of one cause so far, word by word. */
interface Alike {
  attempts: number;
  words: readonly string[];
  /** Whether all errors have the same word at a position. */
  isCommon: boolean[];
}

/** Counts failures by their causes, the most frequent first. */
export function countCauses(errors: Iterable<string>): CauseCount[] {
  const groups = new Map<string, Alike>();
  for (const error of errors) {
    const cause = causeOf(error);
    const words = plainWords(error).split(' ');
    const group = groups.get(cause);
    if (group === undefined) groups.set(cause, { attempts: 1, words, isCommon: words.map(() => true) });
    else addTo(group, words);
  }
  return [...groups]
    .map(([cause, { attempts, words, isCommon }]) =>
      isCommon.every(Boolean)
        ? { cause: words.join(' '), attempts, example: undefined }
        : { cause: mixed(cause.split(' '), words, isCommon), attempts, example: words.join(' ') },
    )
    .toSorted((a, b) => b.attempts - a.attempts);
}

function addTo(group: Alike, words: readonly string[]): void {
  group.attempts += 1;
  const hasAsMany = words.length === group.words.length;
  group.isCommon = group.isCommon.map((isCommon, at) => isCommon && hasAsMany && words[at] === group.words[at]);
}

/** The words that all errors share, and the replaced words elsewhere. */
const mixed = (alike: readonly string[], words: readonly string[], isCommon: readonly boolean[]): string =>
  alike.length === words.length
    ? alike.map((word, at) => (isCommon[at] === true ? words[at] : word)).join(' ')
    : alike.join(' ');

/** An error without the words that every payload failure has. */
const plainWords = (error: string): string =>
  shortened(error.slice(0, maxRead)).replaceAll(/\s+/g, ' ').trim().slice(0, longest);
