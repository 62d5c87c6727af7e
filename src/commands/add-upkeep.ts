import { type Command, InvalidArgumentError, Option } from 'commander';

import {
  type Add,
  another,
  calling,
  formats,
  parseAge,
  parseCount,
  parsePositive,
  type Run,
  setOption,
} from './shared/options.ts';
import type { PruneArguments } from './upkeep/prune.ts';

const authorOption = () =>
  new Option('--requested-by <NAME>', 'the person in whose name it is written (default: the user)');

/** A finding from an hour ago is not an alarm. Seconds. */
const longestEvery = 3600;

function parseEvery(text: string) {
  const every = parsePositive(text);
  if (every <= longestEvery) return every;
  throw new InvalidArgumentError(`give 1 to ${longestEvery}.`);
}

/** The commands for writing about runs, and the service that raises alarms. */
export function addLogbook(add: Add, run: Run) {
  add('note <EXECUTION_ID|none> <TEXT>', 'writes a note about an execution, or about none')
    .option('--at <TIME>', 'the time that it is about: ISO 8601, or -10m (default: now)')
    .option('--about <NAME>', 'the file, worker or message that it is about')
    .option('--for-next', 'for the next shift: its report begins with this note')
    .addOption(authorOption())
    .action(calling(run, ['executionId', 'text'], async () => (await import('./logbook/logbook.ts')).noteCommand));

  add('quality <EXECUTION_ID> <good|bad|test|none>', 'judges the quality of a run; none withdraws it')
    .requiredOption('--reason <TEXT>', 'why')
    .addOption(authorOption())
    .action(calling(run, ['executionId', 'value'], async () => (await import('./logbook/logbook.ts')).qualityCommand));

  add('watch', 'raises alarms for findings that last and notifies receivers, until SIGTERM')
    .option('--config <FILE>', 'the configuration; [watch.after] says how many seconds a finding must last')
    .addOption(setOption())
    .option('--notify <PATH>', 'program to run at each change of an alarm (it gets SWF_EVENT, SWF_ID, SWF_TEXT …)')
    .addOption(
      new Option(
        '--webhook <URL>',
        'an address that each change is posted to, as Mattermost and Slack read it; may be repeated',
      )
        .argParser(another)
        .default([], '$SWF_WEBHOOK, if set'),
    )
    .option('--every <S>', `seconds between two looks, at most ${longestEvery}`, parseEvery, 5)
    .addOption(new Option('--until-parent-ends').hideHelp())
    .action(calling(run, [], async () => (await import('./services/watch.ts')).watchCommand));
}

/** The commands that look after a store. */
export function addUpkeep(add: Add, run: Run) {
  add('export <EXECUTION_ID>', 'writes everything recorded about an execution, one file per table')
    .requiredOption('--out <FOLDER>', 'a new folder')
    .addOption(new Option('--format <FORMAT>', 'how the files are written').choices(formats).default('csv'))
    .action(calling(run, ['executionId'], async () => (await import('./export/export-command.ts')).exportCommand));

  add(
    'check [EXECUTION_ID]',
    'is the store sound, do all executions balance, are their files as they were made; a line each',
  )
    .option('--skip-files', 'do not read the data files')
    .option('--deep', 'replay the whole log and compare every row computed from it')
    .action(calling(run, ['executionId'], async () => (await import('./upkeep/check.ts')).checkCommand));

  add('backup <FILE>', 'copies the store as it is now into a new file, even while a run goes on').action(
    (file: string) => run(async (io) => (await import('./upkeep/backup.ts')).backupCommand(io, file)),
  );

  add('prune', 'removes ended executions completely, with their data files')
    .option('--keep <N>', 'keep the newest N executions', parseCount)
    .option('--older-than <AGE>', 'only those that ended longer ago than this, such as 12h, 30d or 8w', parseAge)
    .option('--observed', 'executions of other programs instead of our own, by when they were last heard')
    .option('--dry-run', 'only say what would be removed')
    .action((flags: PruneArguments, command: Command) => {
      if (flags.keep === undefined && flags.olderThan === undefined)
        command.error('error: say what is to be removed: --keep N, --older-than AGE, or both');
      return run(async (io) => (await import('./upkeep/prune.ts')).pruneCommand(io, flags));
    });
}
