import { type Command, Help } from 'commander';

import { closest } from '../../lib/suggest.ts';

/** The commands by purpose, in the order of the help. A new command needs an entry here. */
export const commandGroups: Readonly<Record<string, readonly string[]>> = {
  'Run a workflow:': ['run', 'plan', 'resume', 'pause', 'continue', 'stop'],
  'Follow a run:': ['status', 'open', 'list', 'report', 'summarize', 'trace'],
  'List what is recorded:': ['slices', 'files', 'samples', 'messages', 'logs', 'agents'],
  'On shift:': ['watch', 'alarms', 'note', 'quality'],
  'Answer assistants and scripts:': ['serve', 'call', 'tools'],
  'Over a broker:': ['up', 'agent', 'request', 'ready', 'serve-files', 'unit', 'observe'],
  'Look after the store:': ['check', 'backup', 'upgrade', 'export', 'prune'],
  'Set up:': ['add', 'doctor', 'config', 'completion', 'help'],
};

/** Puts the commands of a program into the groups and the order of its help. */
export function groupCommands(program: Command) {
  const order = Object.values(commandGroups).flat();
  for (const [heading, names] of Object.entries(commandGroups))
    for (const command of program.commands) if (names.includes(command.name())) command.helpGroup(heading);
  // Commander keeps commands in the order in which they were added.
  (program.commands as Command[]).sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
}

export const examples: Readonly<Record<string, readonly string[]>> = {
  run: [
    'run                              as shipped, in real time: 2 min 46 s',
    'run --speed max --stf-count 3    as fast as possible, 3 STF files',
    'run mine.toml --set fast_processing.target_worker_count=100',
    'run --notify ./notify.sh         notify on failures and at the end',
  ],
  observe: [
    'observe --check --broker stomp://HOST:61613    list the programs',
    'observe --broker stomp://HOST:61613 --layout head --record heard/',
    'observe --from heard/*.jsonl.gz --anonymize shareable.jsonl.gz',
  ],
  resume: ['resume latest', 'resume stf_datataking-alice-0001 --speed 20'],
  pause: ['pause latest --reason "beam studies"'],
  continue: ['continue latest'],
  stop: ['stop latest --reason "beam dump"'],
  status: ['status', 'status --watch', 'status --all --json', 'status stf_datataking-alice-0001'],
  list: ['list --status running', 'list --start-time -1d -o csv'],
  files: ['files --has-slices false', 'files latest -o wide'],
  agents: ['agents                               live agents', 'agents latest'],
  tools: ['tools', 'tools summarize'],
  config: ['config', 'config histogram', 'config --list'],
  slices: ['slices --status failed', 'slices latest --order-by seconds -o wide', 'slices -o csv'],
  messages: ['messages --message-type end_run', 'messages --search swf.100010.000001.stf'],
  logs: ['logs -f', 'logs --level WARNING --start-time -1h'],
  summarize: [
    'summarize                            slices by status',
    'summarize slices --group-by cause    why attempts failed',
    'summarize messages --group-by day',
  ],
  trace: ['trace swf.100010.000001_slice_003.tf'],
  report: ['report latest', 'report --since -8h'],
  plan: ['plan --set fast_processing.target_worker_count=100', 'plan histogram --json'],
  export: ['export latest --out todays-run --format parquet'],
  prune: ['prune --older-than 30d --dry-run', 'prune --keep 100'],
  call: ['call get_workflow_monitor execution_id=latest', 'call list_tf_slices status=failed limit=5'],
  add: ['add claude', 'add vscode --scope project --yes', 'add codex --remove --yes'],
  completion: ['completion bash >> ~/.bashrc', 'completion fish > ~/.config/fish/completions/swf-mcp.fish'],
};

/** The examples of a command, as shown in its help; undefined if it has no examples. */
export function examplesOf(name: string) {
  const lines = examples[name];
  return lines && `\nExamples:\n${lines.map((line) => `  swf-mcp ${line}`).join('\n')}`;
}

/** If a term is wider than this, its description begins on the next line. */
const widestTerm = 28;

const usual = Help.prototype;

/** Help that fits a terminal of 80 columns. */
export const helpLayout: Partial<Help> = {
  showGlobalOptions: true,
  minWidthToWrap: 20,
  // All commands have options, so the word `[options]` is left out to make room.
  subcommandTerm: (command) => usual.subcommandTerm(command).replace(' [options]', ''),
  padWidth: (command, help) => Math.min(widestTerm, usual.padWidth.call(help, command, help)),
  formatItem: (term, width, description, help) =>
    description === '' || help.displayWidth(term) <= width
      ? usual.formatItem.call(help, term, width, description, help)
      : `  ${term}\n${usual.formatItem.call(help, '', width, description, help)}`,
};

/** The error for a word that is not a command; suggests the nearest command. */
export function unknownCommand(program: Command, word: string) {
  const known = program.commands.map((command) => command.name());
  // Only near matches count: a user who typed "top" must not be sent to "stop".
  const near = word.length < 4 ? undefined : closest(word, known);
  const hint = near === undefined ? '' : `did you mean ${near}? `;
  return `error: unknown command or argument '${word}'; ${hint}swf-mcp --help lists all commands`;
}
