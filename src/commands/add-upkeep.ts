import { InvalidArgumentError, Option } from 'commander';

import { type Expected, expectable } from '../domain/expected-counts.ts';
import { type Add, another, formats, parseAge, parseCount, parsePositive, setOption } from './shared/options.ts';

/** The longest interval between checks, in seconds: a finding from an hour ago is too old for an alarm. */
const longestEvery = 3600;

function parseEvery(text: string) {
  const every = parsePositive(text);
  if (every <= longestEvery) return every;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${longestEvery}.`);
}

function parseExpected(text: string) {
  const expected: Expected = {};
  for (const part of text.split(',')) {
    const [, name = '', n = ''] = /^(\w+)=(\d{1,9})$/.exec(part.trim()) ?? [];
    const key = expectable.find((one) => one === name);
    if (key === undefined || expected[key] !== undefined)
      throw new InvalidArgumentError(
        `${JSON.stringify(part.slice(0, 40))} is not one of ${expectable.join('=N, ')}=N, or is given twice.`,
      );
    expected[key] = Number(n);
  }
  return expected;
}

const author = ['--requested-by <NAME>', 'the person who requests it (default: the current user)'] as const;

/** The logbook commands, and the service that raises alarms. */
export function addLogbook(add: Add) {
  add(
    'note <EXECUTION_ID|none> <TEXT>',
    'write a note about an execution, or a general note',
    [
      ['--at <TIME>', 'the time the note is about: ISO 8601, or -10m (default: now)'],
      ['--about <NAME>', 'the file, worker or message the note is about'],
      ['--for-next', 'show the note at the top of the next shift report'],
      author,
    ],
    async () => (await import('./logbook/logbook.ts')).noteCommand,
    { names: ['executionId', 'text'] },
  );

  add(
    'quality <EXECUTION_ID> <good|bad|test|none>',
    'set the quality of a run, or clear it with "none"',
    [new Option('--reason <TEXT>', 'reason').makeOptionMandatory(), author],
    async () => (await import('./logbook/logbook.ts')).qualityCommand,
    { names: ['executionId', 'value'] },
  );

  add(
    'watch',
    'raise alarms for findings that persist, and notify receivers, until SIGTERM',
    [
      ['--config <FILE>', 'read from this configuration how long a finding must persist ([watch.after])'],
      setOption(),
      ['--notify <PATH>', 'run this program whenever an alarm changes (with SWF_EVENT, SWF_ID, SWF_TEXT …)'],
      new Option(
        '--webhook <URL>',
        'post each change to this address, in the format of Mattermost and Slack; may be repeated',
      )
        .argParser(another)
        .default([], '$SWF_WEBHOOK, if set'),
      ['--every <S>', `seconds between checks, at most ${longestEvery}`, parseEvery, 5],
      new Option('--until-parent-ends').hideHelp(),
    ],
    async () => (await import('./services/watch.ts')).watchCommand,
  );
}

/** The flags of a check whose exit code a script uses. */
const strictOptions = () =>
  [
    [
      '--strict',
      'check one run (default: latest): exit 0 if it completed and its data is complete, 1 if there is no such run, otherwise 3',
    ],
    new Option('--expect <KEY=N,…>', `with --strict: require these counts of ${expectable.join(', ')}`).argParser(
      parseExpected,
    ),
    ['--wait <S>', 'with --strict: seconds to wait for the run to start and end', parsePositive],
  ] as const;

/** The commands that maintain a store. */
export function addUpkeep(add: Add) {
  add(
    'export <EXECUTION_ID>',
    'write everything recorded about an execution, one file per table',
    [
      new Option('--out <FOLDER>', 'write into this new folder').makeOptionMandatory(),
      new Option('--format <FORMAT>', 'file format').choices(formats).default('csv'),
    ],
    async () => (await import('./export/export-command.ts')).exportCommand,
  );

  add(
    'check [EXECUTION_ID]',
    'check that the store is sound, every execution is balanced, and its files are intact; print one line per check',
    [
      ['--skip-files', 'do not read the data files'],
      [
        '--deep',
        'replay the whole log and compare the result with the stored rows; with --strict: read the data files',
      ],
      ...strictOptions(),
    ],
    async () => (await import('./upkeep/check.ts')).checkCommand,
    {
      needs: { '--expect': ['--strict'], '--wait': ['--strict'] },
    },
  );

  addCopies(add);
}

/** The commands that copy, upgrade or shorten a store. */
function addCopies(add: Add) {
  add(
    'backup <FILE>',
    'copy the store to a new file, even during a run',
    [],
    async () => (await import('./upkeep/backup.ts')).backupCommand,
  );

  add(
    'upgrade',
    'upgrade a store from an older version; keep the old one as NAME.schema-N',
    [],
    async () => (await import('./upkeep/upgrade.ts')).upgradeCommand,
  );

  add(
    'prune',
    'remove ended executions completely, with their data files',
    [
      ['--keep <N>', 'keep the newest N executions', parseCount],
      [
        '--older-than <AGE>',
        'remove only executions that ended longer ago than this, such as 12h, 30d or 8w',
        parseAge,
      ],
      [
        '--observed',
        'remove observed executions (age counted from when they were last heard from) instead of your own',
      ],
      ['--dry-run', 'only print what would be removed'],
    ],
    async () => (await import('./upkeep/prune.ts')).pruneCommand,
  );
}
