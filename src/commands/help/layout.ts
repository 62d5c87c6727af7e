import { type Command, Help } from 'commander';

/** Terms wider than this have their words on the next line. */
const widestTerm = 28;

/** A command in a list: without "[options]", since all have some, its words have room. */
const termOf = (command: Command): string =>
  [
    command.name(),
    ...command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    }),
  ].join(' ');

const usual = Help.prototype;

/** Help that fits a terminal of 80 columns. */
export const helpLayout: Partial<Help> = {
  showGlobalOptions: true,
  minWidthToWrap: 20,
  subcommandTerm: termOf,
  padWidth: (command, help) => Math.min(widestTerm, usual.padWidth.call(help, command, help)),
  formatItem: (term, width, description, help) =>
    description === '' || help.displayWidth(term) <= width
      ? usual.formatItem.call(help, term, width, description, help)
      : `  ${term}\n${usual.formatItem.call(help, '', width, description, help)}`,
};
