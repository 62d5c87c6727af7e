import { type Command, Option } from 'commander';

import { type Add, adding, asOfOption, parsePositive, type Run } from '../shared/options.ts';
import { outputs, tableCommands } from './catalogue.ts';
import type { TableArguments } from './table-command.ts';

const outputOption = () => new Option('-o, --output <FORM>', 'output format').choices(outputs).default('table');

/**
 * The commands that show tables. Their flags are the arguments of tools, which are loaded only if a table
 * is requested.
 */
export async function addTables(add: Add, words: readonly string[], run: Run) {
  const filtersOf = async (command: string, tool: string) =>
    words.includes(command) ? (await import('./filters.ts')).filterOptions(tool) : [];
  for (const table of tableCommands) {
    const { name, about, named, tool } = table;
    const command = add(
      named === undefined ? name : `${name} [${named.word}]`,
      about,
      [
        outputOption(),
        ['--limit <N>', 'maximum number of rows (default: 50; json and csv: all)', parsePositive],
        ...(table.parts === undefined ? [] : [['--all', 'include cleared alarms'] as const]),
        ...(name === 'logs' ? [['-f, --follow', 'keep printing new lines'] as const] : []),
        ...(await filtersOf(name, tool)),
      ],
      async ({ follow }: TableArguments) =>
        follow
          ? (await import('./follow-logs.ts')).followLogs(table)
          : (await import('./table-command.ts')).tableCommand(table),
      {
        names: named && ['named'],
        // With `--follow`, lines are printed one by one as they arrive.
        excludes: { '--follow': ['--order', '--end-time', '--as-of'] },
      },
    );
    if (name === 'alarms') addSeen(command, run);
  }
  add(
    'summarize [WHAT]',
    'group slices (default), stf_files, messages, logs or executions; show counts and times',
    [
      outputOption(),
      ['--limit <N>', 'maximum number of groups (default: 50)', parsePositive],
      ...(await filtersOf('summarize', 'summarize')),
    ],
    async () => (await import('./summarize-command.ts')).summarizeCommand,
    { names: ['named'] },
  );
  add(
    'trace <DATA_FILE>',
    'show the path of an STF file, TF sample or TF slice through the workflow',
    [outputOption(), asOfOption()],
    async () => (await import('./trace-command.ts')).traceCommand,
    { names: ['filename'] },
  );
}

/** `swf-mcp alarms seen`. */
function addSeen(alarms: Command, run: Run) {
  adding(alarms, run)(
    'seen <ID> [TEXT]',
    'mark an alarm as seen; a unique prefix of its id is enough',
    [['--requested-by <NAME>', 'the person who has seen it (default: the current user)']],
    async () => (await import('../logbook/logbook.ts')).seenCommand,
    { names: ['name', 'text'] },
  );
}
