import { InvalidArgumentError, Option } from 'commander';

import { type Add, another, calling, parsePositive, type Run, setOption } from './shared/options.ts';

const authorOption = (): Option =>
  new Option('--requested-by <NAME>', 'the person in whose name it is written (default: the user)');

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
    .option('--for-next', 'for the next shift: its report begins with this note')
    .addOption(authorOption())
    .action(calling(run, ['executionId', 'text'], async () => (await import('./logbook/write.ts')).noteCommand));

  add('quality <EXECUTION_ID> <good|bad|test|none>', 'judges the quality of a run; none withdraws it')
    .requiredOption('--reason <TEXT>', 'why')
    .addOption(authorOption())
    .action(calling(run, ['executionId', 'value'], async () => (await import('./logbook/write.ts')).qualityCommand));

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
