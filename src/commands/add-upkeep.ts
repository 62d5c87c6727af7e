import { type Command, Option } from 'commander';

import { type Format, formats } from './export/format-names.ts';
import { type Add, parseAge, parseCount, type Run } from './shared/options.ts';

/** The commands that look after a store. */
export function addUpkeep(add: Add, run: Run): void {
  add('export <EXECUTION_ID>', 'everything that is recorded of an execution, a file a table')
    .requiredOption('--out <FOLDER>', 'a new folder')
    .addOption(new Option('--format <FORMAT>', 'how the files are written').choices(formats).default('csv'))
    .action(async (executionId: string, { out, format }: { out: string; format: Format }) => {
      const args = { executionId, out, format };
      await run(async (io) => (await import('./export/export-command.ts')).exportCommand(io, args));
    });

  add(
    'check [EXECUTION_ID]',
    'is the store sound, do all executions balance, are their files as they were made; a line each',
  )
    .option('--skip-files', 'do not read the data files')
    .option('--deep', 'read the whole log again, and compare every row that follows from it')
    .action(async (executionId: string | undefined, { skipFiles, deep }: { skipFiles?: true; deep?: true }) => {
      const args = { executionId, skipFiles: skipFiles === true, deep: deep === true };
      await run(async (io) => (await import('./upkeep/check.ts')).checkCommand(io, args));
    });

  add('backup <FILE>', 'writes the store as it is now into a new file, also while a run goes on').action(
    async (file: string) => {
      await run(async (io) => (await import('./upkeep/backup.ts')).backupCommand(io, file));
    },
  );

  add('prune', 'removes executions that have ended, whole, with their data files')
    .option('--keep <N>', 'the newest N executions stay', parseCount)
    .option('--older-than <AGE>', 'only those that ended longer ago, such as 12h, 30d or 8w', parseAge)
    .option('--observed', 'executions of other programs, by when they were last heard of, in place of our own')
    .option('--dry-run', 'only tell what would be removed')
    .action(
      async (options: { keep?: number; olderThan?: number; observed?: true; dryRun?: true }, command: Command) => {
        const { keep, olderThan, dryRun } = options;
        if (keep === undefined && olderThan === undefined)
          command.error('error: say what is to be removed: --keep N, --older-than AGE, or both');
        const args = { keep, olderThan, observed: options.observed === true, dryRun: dryRun === true };
        await run(async (io) => (await import('./upkeep/prune.ts')).pruneCommand(io, args));
      },
    );
}
