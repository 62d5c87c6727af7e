import { type Command, Option } from 'commander';

import { printableLines } from '../../lib/printable.ts';
import { timeFlags } from '../shared/flag-words.ts';
import { asOfOption, calling, parsePositive, type Run } from '../shared/options.ts';
import { type Output, outputs, tableCommands } from './catalogue.ts';

/** Suggests a list's own flag to a user who gives the one of `report`. */
function hintAtTimes(command: Command) {
  const hint = (flag: string, word: string) => `${flag}\n(Did you mean --${timeFlags[word]}?)`;
  const hinted = (text: string) => printableLines(text).replace(/'--(since|until)(?:=[^']*)?'(?!\n\()/, hint);
  command.configureOutput({ outputError: (text, write) => write(hinted(text)) });
}

const outputOption = () => new Option('-o, --output <FORM>', 'output format').choices(outputs).default('table');

/**
 * The commands that show tables. Their flags are the arguments of tools, which are loaded only if a table
 * is requested.
 */
export async function addTables(program: Command, words: readonly string[], run: Run): Promise<void> {
  // Completion needs the flags of all.
  const isWanted = (name: string) => words.includes(name) || words.includes('completion');
  for (const table of tableCommands) {
    const { name, about, named, tool } = table;
    const command = program
      .command(named === undefined ? name : `${name} [${named.word}]`)
      .description(about)
      .addOption(outputOption())
      .option('--limit <N>', 'maximum number of rows (default: 50; json and csv: all)', parsePositive);
    if (table.parts !== undefined) command.option('--all', 'include cleared alarms');
    if (name === 'alarms') addSeen(command, run);
    hintAtTimes(command);
    if (name === 'logs') command.option('-f, --follow', 'keep printing new lines');
    if (isWanted(name))
      for (const option of (await import('./filters.ts')).filterOptions(tool)) command.addOption(option);
    command.action((...given: unknown[]) => {
      const flags = given.at(-2) as { output: Output; limit?: number; follow?: true };
      const args = { ...flags, named: named === undefined ? undefined : (given[0] as string | undefined), flags };
      return run(async (io) =>
        flags.follow === true
          ? (await import('./follow-logs.ts')).followLogs(io, table, args)
          : (await import('./table-command.ts')).tableCommand(io, table, args),
      );
    });
  }
  const summarize = program
    .command('summarize [WHAT]')
    .description('count and time slices (default), stf_files, messages, logs or executions in groups')
    .addOption(outputOption())
    .option('--limit <N>', 'maximum number of groups (default: 50)', parsePositive);
  hintAtTimes(summarize);
  if (isWanted('summarize'))
    for (const option of (await import('./filters.ts')).filterOptions('summarize')) summarize.addOption(option);
  summarize.action((what: string | undefined, flags: { output: Output; limit?: number }) =>
    run(async (io) => (await import('./summarize-command.ts')).summarizeCommand(io, what, flags)),
  );
  program
    .command('trace <DATA_FILE>')
    .description('show the path of an STF file, TF sample or TF slice through the workflow')
    .addOption(outputOption())
    .addOption(asOfOption())
    .action((file: string, options: { output: Output; asOf?: string }) =>
      run(async (io) => (await import('./trace-command.ts')).traceCommand(io, file, options)),
    );
}

/** `swf-mcp alarms seen`. */
function addSeen(alarms: Command, run: Run) {
  alarms
    .command('seen <ID> [TEXT]')
    .description('mark an alarm as seen, by its id or a unique prefix of it')
    .option('--requested-by <NAME>', 'the person who has seen it (default: the current user)')
    .action(calling(run, ['name', 'text'], async () => (await import('../logbook/logbook.ts')).seenCommand));
}
