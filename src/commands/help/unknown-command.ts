import type { Command } from 'commander';

import { closest } from '../../lib/suggest.ts';

/** The complaint about a word that is not a command, with the nearest one. */
export function unknownCommand(program: Command, word: string): string {
  const known = program.commands.map((command) => command.name());
  // Only a near match: a user who typed "top" must not be pointed to "stop".
  const near = word.length < 4 ? undefined : closest(word, known);
  const hint = near === undefined ? '' : `did you mean ${near}? `;
  return `error: unknown command or argument '${word}'; ${hint}swf-mcp --help lists all commands`;
}
