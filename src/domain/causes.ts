import { clipWords } from '../lib/words.ts';

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
export const shortened = (error: string) =>
  error
    .replace(/^PAYLOAD_FAILED: /, '')
    .replace(/ after [\d.]+ s\b/, '')
    .replace('; its last words: ', ': ')
    // As the testbed's workers report it.
    .replace(/ with returncode=(-?\d+)\. stderr \(last \d+ chars\): /, ' with exit code $1: ');

/** What is logged of a slice before the cause of its failure, with its name; `stays failed` in older logs. */
export const beforeCause =
  /^slice (\S+) (?:(?:stays failed|failed permanently) after \w+ attempts?|failed in attempt \d+ of \d+ and is queued again): /;

/** A payload's own words, without the statement that it failed, which is the same for every cause. */
export const ownWords = (error: string) =>
  shortened(error).replace(/^\S{1,200} (?:ended|exited) with exit code -?\d+: (?=\S)/, '');

/** A cause in at most `most` characters. The common words go first, then the end. */
export const clipCause = (cause: string, most: number) =>
  cause.length <= most ? cause : clipWords(ownWords(cause), most);

/** Keep the numbers that say which failure it was, such as exit codes. */
const kept = /\b(exit code|signal|status|errno) (\d+)/g;

/**
 * How many characters of an error to read, and of a cause to show: it ends at a word, with `…` where it was
 * cut.
 */
const maxRead = 600;
export const longestCause = 300;

/**
 * The cause of a failure: its error with numbers, file names and addresses made alike, so that a hundred
 * failures of one kind read as one. Everything that groups failures uses it.
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
    .slice(0, maxRead);
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
  cause: string;
  words: readonly string[];
  /** Whether all errors have the same word at a position. */
  isCommon: readonly boolean[];
}

export type Causes = ReturnType<typeof createCauses>;

/**
 * Numbers causes from 0, in order of appearance, and words each as exactly as its errors allow: a number,
 * file name or address that all of them share stays as it was.
 */
export function createCauses() {
  /** The text of each cause. */
  const all: string[] = [];
  const alikes: Alike[] = [];
  const numbers = new Map<string, number>();
  function join(alike: Alike): number {
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
  /** The number of an error's cause. */
  const numberOf = (error: string): number => {
    const words = shortened(error.slice(0, maxRead)).replaceAll(/\s+/g, ' ').trim().split(' ');
    return join({ cause: causeOf(error), words, isCommon: words.map(() => true) });
  };
  /** One of the errors of a cause, if they differ. */
  const exampleOf = (number: number): string | undefined => {
    const alike = alikes[number];
    return alike === undefined || alike.isCommon.every(Boolean) ? undefined : alike.words.join(' ');
  };
  return {
    all,
    /** The errors of each cause. */
    alikes,
    numberOf,
    exampleOf,
    /** Adds an error. Returns its cause as `causeOf` gives it. */
    add: (error: string): string => alikes[numberOf(error)]?.cause ?? '',
    /** Adds the errors of a cause from another collection. Returns the cause as `causeOf` gives it. */
    adopt(others: { alikes: readonly Alike[] }, number: number): string | undefined {
      const alike = others.alikes[number];
      if (alike !== undefined) join(alike);
      return alike?.cause;
    },
    /** The words of a cause that `causeOf` gave, and one of its errors, if they differ. */
    shown(cause: string): { words: string; example: string | undefined } {
      const number = numbers.get(cause) ?? -1;
      return { words: all[number] ?? cause, example: exampleOf(number) };
    },
  };
}

/** Counts failures by their causes, the most frequent first. */
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

/** The words that all errors share, and the replaced words elsewhere. */
function mixed({ cause, words, isCommon }: Alike): string {
  if (isCommon.every(Boolean)) return words.join(' ');
  const alike = cause.split(' ');
  return alike.length === words.length
    ? alike.map((word, at) => (isCommon[at] === true ? words[at] : word)).join(' ')
    : cause;
}
