import { type Command, Option } from 'commander';

import { formats } from './export/format-names.ts';
import { type Add, calling, parseAge, parseCount, type Run } from './shared/options.ts';
import type { PruneArguments } from './upkeep/prune.ts';

/** The commands that look after a store. */
export function addUpkeep(add: Add, run: Run): void {
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
