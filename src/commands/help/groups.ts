import type { Command } from 'commander';

/** The commands by what people want of them, in the order of the help. A new command is a word here. */
export const commandGroups: Readonly<Record<string, readonly string[]>> = {
  'Run a workflow:': ['run', 'plan', 'resume', 'pause', 'continue', 'stop'],
  'Follow a run:': ['status', 'open', 'list', 'report', 'summarize', 'trace'],
  'List what is recorded:': ['slices', 'files', 'samples', 'messages', 'logs', 'agents'],
  'On shift:': ['watch', 'alarms', 'note', 'quality'],
  'Answer assistants and scripts:': ['serve', 'call', 'tools'],
  'Over a broker:': ['up', 'agent', 'request', 'ready', 'serve-files', 'unit', 'observe'],
  'Look after the store:': ['check', 'backup', 'export', 'prune'],
  'Set up:': ['doctor', 'config', 'completion', 'help'],
};

/** Puts the commands of a program into the groups and the order of its help. */
export function groupCommands(program: Command): void {
  const order = Object.values(commandGroups).flat();
  for (const [heading, names] of Object.entries(commandGroups))
    for (const command of program.commands) if (names.includes(command.name())) command.helpGroup(heading);
  // Commander has them in the order in which they were added.
  (program.commands as Command[]).sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
}
