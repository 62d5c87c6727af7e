import type { ErrorCode } from '../../lib/errors.ts';

/** The command line's terms for the names that tools use. */
interface Words {
  /** Flags, by the arguments that they stand for. */
  flags: ReadonlyMap<string, string>;
  /** Commands, by the tools that they call. */
  commands: ReadonlyMap<string, string>;
}

/** Quoted values, which are not changed. */
const quoted = /("(?:[^"\\]|\\.)*")/;

/**
 * An argument with its value (`order_by = "x"`, `order=newest`) or its description (`; order: …`). A bare
 * name stays as it is, since it may be a field of an item.
 */
const given = /(?<![.\w/-]|\w\()([a-z_]+)(?: = $| = (?=\d)|=(?=\w|$))|^([a-z_]+) $|(?<=; )([a-z_]+)(?=: )/g;

const tool = /(?<=^| )[a-z]+(?:_[a-z]+)+(?=$|[ ,;])/g;

const inUnquoted = (sentence: string, change: (part: string) => string) =>
  sentence
    .split(quoted)
    .map((part, at) => (at % 2 === 1 ? part : change(part)))
    .join('');

const withCommands = (part: string, { commands }: Words) => part.replaceAll(tool, (name) => commands.get(name) ?? name);

/** Converts a tool's sentence to the command line's terms: `order_by = "x"` becomes `--order-by "x"`. */
export const inFlags = (sentence: string, words: Words) =>
  inUnquoted(sentence, (part) =>
    withCommands(part, words).replaceAll(given, (text, named?: string, first?: string, described?: string) => {
      const flag = words.flags.get(named ?? first ?? described ?? '');
      return flag === undefined ? text : `${flag}${described === undefined ? ' ' : ''}`;
    }),
  );

/**
 * An error's sentence for the command line. Arguments become flags for only two codes: the sentences of other
 * codes name files, keys and ids that look like arguments.
 */
export const errorInFlags = (code: ErrorCode, sentence: string, words: Words) =>
  code === 'ARGUMENT_INVALID' || code === 'CURSOR_INVALID'
    ? inFlags(sentence, words)
    : inUnquoted(sentence, (part) => withCommands(part, words));

/**
 * The description of an argument, beginning in lower case like all help texts. Arguments in it become flags;
 * names in a list are values, and stay unchanged.
 */
export const helpInFlags = (description: string, words: Words) =>
  inFlags(description, words)
    .replaceAll(/(?<![\w-])(?<!, )[a-z]+(?:_[a-z]+)+(?![\w,])/g, (name) => words.flags.get(name) ?? name)
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

export const flagOf = (argument: string) => `--${argument.replaceAll('_', '-')}`;

/** `report` has `--since` and `--until`; lists have flags named like the tools' arguments. */
const timeFlags: Readonly<Record<string, string>> = { since: 'start-time', until: 'end-time' };

/** The flags of a command, by the arguments that they stand for. */
export function flagsOf(options: readonly { name: () => string }[]) {
  const argumentOf = (flag: string) => (timeFlags[flag] ?? flag).replaceAll('-', '_');
  return new Map(options.map((option) => [argumentOf(option.name()), `--${option.name()}`]));
}
