/** Values are in quotes. */
const values = /("(?:[^"\\]|\\.)*")/;

/** A name as tools write it: with an underscore, or before its value. */
const names = /(?<![.\w])(?:[a-z]+(?:_[a-z]+)+\b(?![(_])(?: ?= ?)?|[a-z]+(?:=| = $)|^[a-z]+ = )|(?<=; )[a-z]+(?=: )/g;

export const flagOf = (argument: string): string => `--${argument.replaceAll('_', '-')}`;

/**
 * A sentence about a tool's arguments in the words of the command line: `order_by = "x"` becomes `--order-by "x"`.
 * @param words flags by argument, and commands by tool; other names stay as they are
 */
export const inFlags = (sentence: string, words: ReadonlyMap<string, string>): string =>
  sentence
    .split(values)
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part.replaceAll(names, (text) => {
            const [name = '', rest = ''] = text.split(/(?= ?=)/);
            const word = words.get(name);
            return word === undefined ? text : `${word}${rest === '' ? '' : ' '}`;
          }),
    )
    .join('');

/** `report` has `--since` and `--until`; the flags of lists are the arguments of tools. */
export const timeFlags: Readonly<Record<string, string>> = { since: 'start-time', until: 'end-time' };

/** The words of a command for the arguments and tools that a sentence names: its flags, and the commands that ask those tools. */
export function wordsFor(
  options: readonly { name: () => string }[],
  commands: readonly { name: string; tool: string }[],
): Map<string, string> {
  const argumentOf = (flag: string): string => (timeFlags[flag] ?? flag).replaceAll('-', '_');
  return new Map([
    ...options.map((option) => [argumentOf(option.name()), `--${option.name()}`] as const),
    ...commands.map(({ name, tool }) => [tool, `"swf-mcp ${name}"`] as const),
  ]);
}
