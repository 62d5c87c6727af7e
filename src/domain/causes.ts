import { clipWords } from '../lib/words.ts';

/** Parts of an error that differ from slice to slice, and their replacements. */
const variable: readonly (readonly [RegExp, string])[] = [
  // Keep only the last part of a path, since folders are named after slices.
  [/(?<!<)(?:\/[^\s'":,;()/<>]+)*\/([^\s'":,;()/<>]+)/g, '…/$1'],
  [/\b[\w.-]{1,200}\.(?:tf|stf|root|dat|h5|json|log|txt)\b/g, 'FILE'],
  [/\b0x[0-9a-f]+\b/gi, 'ADDRESS'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID'],
  // An address without 0x: eight or more hex digits, at least one of them a letter and one a numeral.
  [/\b(?=[0-9]*[a-f])(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, 'ADDRESS'],
  // Matches inside names too: node12, slice_004.
  [/\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, 'N'],
];

/** Strips the words that surround the cause in every payload failure. */
export const shortened = (error: string) =>
  error
    .replace(/^PAYLOAD_FAILED: /, '')
    .replace(/ after [\d.]+ s\b/, '')
    .replace('; its last words: ', ': ')
    // The form in which the testbed's workers report a failure.
    .replace(/ with returncode=(-?\d+)\. stderr \(last \d+ chars\): /, ' with exit code $1: ');

/** The text before the cause in a log line about a failed slice. Older logs have `stays failed`. */
export const beforeCause =
  /^slice (\S+) (?:(?:stays failed|failed permanently) after \w+ attempts?|failed in attempt \d+ of \d+ and is queued again): /;

/** A payload's own words, without the exit code reported before them. */
export const ownWords = (error: string) =>
  shortened(error).replace(/^\S{1,200} (?:ended|exited) with exit code -?\d+: (?=\S)/, '');

/**
 * Shortens a cause to at most `most` characters: first drops what precedes the payload's own words, then cuts
 * the end.
 */
export const clipCause = (cause: string, most: number) =>
  cause.length <= most ? cause : clipWords(ownWords(cause), most);

/** Numbers to keep because they distinguish failures, such as exit codes. */
const kept = /\b(exit code|signal|status|errno) (\d+)/g;

/**
 * How many characters of an error to read, and of a cause to show. A longer cause is cut at a word and ends
 * with `…`.
 */
const maxRead = 600;
export const longestCause = 300;

/**
 * The cause of a failure: its error with numbers, file names and addresses replaced, so that a hundred
 * similar failures read as one. All code that groups failures uses this function.
 */
export function causeOf(error: string) {
  const codes: string[] = [];
  // Replace the digits to be kept with a mark that contains no digits.
  let cause = shortened(error.slice(0, maxRead)).replaceAll(kept, (_, word: string, code: string) => {
    codes.push(code);
    return `${word} \u0001`;
  });
  for (const [pattern, word] of variable) cause = cause.replaceAll(pattern, word);
  return cause
    .replaceAll('\u0001', () => codes.shift() ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, maxRead);
}

export interface CauseCount {
  /** The words that all errors with this cause share; the other words are replaced as in `causeOf`. */
  cause: string;
  attempts: number;
  /** One of the original errors, if they differ. */
  example: string | undefined;
}

/** The errors with one cause found so far, compared word by word. */
interface Alike {
  cause: string;
  words: readonly string[];
  /** For each position, whether all errors have the same word there. */
  isCommon: readonly boolean[];
}

export type Causes = ReturnType<typeof createCauses>;

/**
 * Numbers causes from 0, in order of appearance. Phrases each cause as exactly as its errors allow: keeps a
 * number, file name or address that they all share.
 */
export function createCauses() {
  const all: string[] = [];
  const alikes: Alike[] = [];
  const numbers = new Map<string, number>();
  function join(alike: Alike) {
    const { cause, words, isCommon } = alike;
    const number = numbers.get(cause) ?? all.length;
    const known = alikes[number] ?? alike;
    const isAlike = (at: number) =>
      isCommon[at] === true && words.length === known.words.length && words[at] === known.words[at];
    const joined = { ...known, isCommon: known.isCommon.map((was, at) => was && isAlike(at)) };
    numbers.set(cause, number);
    alikes[number] = joined;
    all[number] = mixed(joined);
    return number;
  }
  /** The number of an error's cause; a new cause gets the next number. */
  const numberOf = (error: string) => {
    const words = shortened(error.slice(0, maxRead)).replaceAll(/\s+/g, ' ').trim().split(' ');
    return join({ cause: causeOf(error), words, isCommon: words.map(() => true) });
  };
  /** One of the errors with this cause; undefined if they are all alike. */
  const exampleOf = (number: number) => {
    const alike = alikes[number];
    return alike === undefined || alike.isCommon.every(Boolean) ? undefined : alike.words.join(' ');
  };
  return {
    all,
    alikes,
    numberOf,
    exampleOf,
    /** Adds an error, and returns its cause as `causeOf` gives it. */
    add: (error: string) => alikes[numberOf(error)]?.cause ?? '',
    /**
     * Adds the errors with one cause from another collection, in which the cause has the given number. Returns
     * the cause as `causeOf` does; undefined if the other collection has no such number.
     */
    adopt(others: { alikes: readonly Alike[] }, number: number) {
      const alike = others.alikes[number];
      if (alike !== undefined) join(alike);
      return alike?.cause;
    },
    /** The words of a cause that `causeOf` returned and, if the cause's errors differ, one of these errors. */
    shown(cause: string) {
      const number = numbers.get(cause) ?? -1;
      return { words: all[number] ?? cause, example: exampleOf(number) };
    },
  };
}

/** Counts failures by cause, the most frequent first. */
export function countCauses(errors: Iterable<string>): CauseCount[] {
  const causes = createCauses();
  const attempts: number[] = [];
  for (const error of errors) {
    const number = causes.numberOf(error);
    attempts[number] = (attempts[number] ?? 0) + 1;
  }
  return attempts
    .map((count, number) => ({ cause: causes.all[number] ?? '', attempts: count, example: causes.exampleOf(number) }))
    .toSorted((a, b) => b.attempts - a.attempts);
}

/** The words that all errors share, with replacements where the errors differ. */
function mixed({ cause, words, isCommon }: Alike) {
  if (isCommon.every(Boolean)) return words.join(' ');
  const alike = cause.split(' ');
  return alike.length === words.length
    ? alike.map((word, at) => (isCommon[at] === true ? words[at] : word)).join(' ')
    : cause;
}
