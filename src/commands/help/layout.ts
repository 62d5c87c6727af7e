import { Help } from 'commander';

/** Terms wider than this have their words on the next line. */
const widestTerm = 28;

const usual = Help.prototype;

/** Help that fits a terminal of 80 columns. */
export const helpLayout: Partial<Help> = {
  showGlobalOptions: true,
  minWidthToWrap: 20,
  // All commands have options: without the word their other words have room.
  subcommandTerm: (command) => usual.subcommandTerm(command).replace(' [options]', ''),
  padWidth: (command, help) => Math.min(widestTerm, usual.padWidth.call(help, command, help)),
  formatItem: (term, width, description, help) =>
    description === '' || help.displayWidth(term) <= width
      ? usual.formatItem.call(help, term, width, description, help)
      : `  ${term}\n${usual.formatItem.call(help, '', width, description, help)}`,
};
