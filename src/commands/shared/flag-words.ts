import type { ErrorCode } from '../../lib/errors.ts';

/** The terms of the command line for what tools name. */
interface Words {
  /** Flags, by the arguments that they stand for. */
  flags: ReadonlyMap<string, string>;
  /** Commands, by the tools that they call. */
  commands: ReadonlyMap<string, string>;
}

/** Values are in quotes, and are not changed. */
const quoted = /("(?:[^"\\]|\\.)*")/;

/**
 * An argument with its value (`order_by = "x"`, `order=newest`) or its description (`; order: …`). A name
 * alone may be a field of an item, and stays.
 */
const given = /(?<![.\w/-]|\w\()([a-z_]+)(?: = $| = (?=\d)|=(?=\w|$))|^([a-z_]+) $|(?<=; )([a-z_]+)(?=: )/g;

const tool = /(?<=^| )[a-z]+(?:_[a-z]+)+(?=$|[ ,;])/g;

const inUnquoted = (sentence: string, change: (part: string) => string) =>
  sentence
    .split(quoted)
    .map((part, at) => (at % 2 === 1 ? part : change(part)))
    .join('');

const withCommands = (part: string, { commands }: Words) => part.replaceAll(tool, (name) => commands.get(name) ?? name);

/** A tool's sentence in the terms of the command line: `order_by = "x"` becomes `--order-by "x"`. */
export const inFlags = (sentence: string, words: Words) =>
  inUnquoted(sentence, (part) =>
    withCommands(part, words).replaceAll(given, (text, named?: string, first?: string, described?: string) => {
      const flag = words.flags.get(named ?? first ?? described ?? '');
      return flag === undefined ? text : `${flag}${described === undefined ? ' ' : ''}`;
    }),
  );

/**
 * The sentence of an error. Other codes than these two name files, keys and ids, which look like arguments.
 */
export const errorInFlags = (code: ErrorCode, sentence: string, words: Words) =>
  code === 'ARGUMENT_INVALID' || code === 'CURSOR_INVALID'
    ? inFlags(sentence, words)
    : inUnquoted(sentence, (part) => withCommands(part, words));

/** The description of an argument, in lower case like all help. Names in a list are values. */
export const helpInFlags = (description: string, words: Words) =>
  inFlags(description, words)
    .replaceAll(/(?<![\w-])(?<!, )[a-z]+(?:_[a-z]+)+(?![\w,])/g, (name) => words.flags.get(name) ?? name)
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

export const flagOf = (argument: string) => `--${argument.replaceAll('_', '-')}`;

/** `report` has `--since` and `--until`; the flags of lists are the arguments of tools. */
const timeFlags: Readonly<Record<string, string>> = { since: 'start-time', until: 'end-time' };

/** The flags of a command, by the arguments that they stand for. */
export function flagsOf(options: readonly { name: () => string }[]) {
  const argumentOf = (flag: string) => (timeFlags[flag] ?? flag).replaceAll('-', '_');
  return new Map(options.map((option) => [argumentOf(option.name()), `--${option.name()}`]));
}
