import { InvalidArgumentError, Option } from 'commander';

import { type Add, parsePositive, type Run, setOption } from './shared/options.ts';

const authorOption = (): Option =>
  new Option('--requested-by <NAME>', 'the person in whose name it is written (default: the user)');

interface NoteFlags {
  at?: string;
  about?: string;
  forNext?: true;
  requestedBy?: string;
}

interface WatchFlags {
  config?: string;
  set: string[];
  notify?: string;
  webhook: string[];
  every: number;
  untilParentEnds?: true;
}

/** A finding from an hour ago is not an alarm. Seconds. */
const longestEvery = 3600;

function parseEvery(text: string): number {
  const every = parsePositive(text);
  if (every <= longestEvery) return every;
  throw new InvalidArgumentError(`give 1 to ${longestEvery}.`);
}

/** The commands for writing about runs, and the service that raises alarms. */
export function addLogbook(add: Add, run: Run): void {
  add('note <EXECUTION_ID|none> <TEXT>', 'writes a note about an execution, or about none')
    .option('--at <TIME>', 'the time that it is about: ISO 8601, or -10m (default: now)')
    .option('--about <NAME>', 'the file, worker or message that it is about')
    .option('--for-next', 'the next shift must read it: its report begins with it')
    .addOption(authorOption())
    .action(async (executionId: string, text: string, { at, about, forNext, requestedBy }: NoteFlags) => {
      const args = { executionId, text, at, about, forNext: forNext === true, requestedBy };
      await run(async (io) => (await import('./logbook/write.ts')).noteCommand(io, args));
    });

  add('quality <EXECUTION_ID> <good|bad|test|none>', 'judges a run; none takes that back')
    .requiredOption('--reason <TEXT>', 'why')
    .addOption(authorOption())
    .action(async (executionId: string, value: string, options: { reason: string; requestedBy?: string }) => {
      const args = { executionId, value, ...options };
      await run(async (io) => (await import('./logbook/write.ts')).qualityCommand(io, args));
    });

  add('watch', 'raises alarms of findings that last, and tells receivers of them, until SIGTERM')
    .option('--config <FILE>', 'the configuration, for [watch.after]: seconds by code that a finding must last')
    .addOption(setOption())
    .option('--notify <PATH>', 'a program that is run at each change of an alarm (SWF_EVENT, SWF_ID, SWF_TEXT …)')
    .addOption(
      new Option(
        '--webhook <URL>',
        'an address that each change is posted to, as Mattermost and Slack read it; may be repeated (default: $SWF_WEBHOOK)',
      )
        .argParser((url: string, before: string[]) => [...before, url])
        .default([], 'none'),
    )
    .addOption(
      new Option('--every <S>', `seconds between two looks, at most ${longestEvery}`).argParser(parseEvery).default(5),
    )
    .addOption(new Option('--until-parent-ends').hideHelp())
    .action(async ({ config, set: sets, notify, webhook, every, untilParentEnds }: WatchFlags) => {
      const args = { config, sets, notify, webhook, every, untilParentEnds: untilParentEnds === true };
      await run(async (io) => (await import('./services/watch.ts')).watchCommand(io, args));
    });
}
