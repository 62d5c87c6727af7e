import { type Command, Option } from 'commander';

import { layoutNames } from '../messages/layouts.ts';
import { unknownCommand } from './help/help.ts';
import type { ServeArguments } from './serve/serve.ts';
import type { UnitArguments } from './services/unit.ts';
import type { UpArguments } from './services/up.ts';
import type { Std } from './shared/io.ts';
import { type Add, brokerOption, calling, parsePositive, type Run, setOption } from './shared/options.ts';

const upMetricsOption = () =>
  new Option(
    '--metrics <[HOST:]PORT>',
    "the agents' figures for Prometheus: of the first here, of the others at the ports behind it",
  );

const observeOption = (what: string) =>
  new Option('--observe <LAYOUT>', `${what}: the layout of its topics, or none`).choices(['none', ...layoutNames]);

const watchOption = () =>
  new Option('--watch', 'also raise alarms for findings that last, as swf-mcp watch does (notifies $SWF_WEBHOOK)');

/** The commands that run agents as services. */
export function addServices(add: Add, run: Run) {
  add('up [CONFIG]', 'runs and restarts all agents that the configuration wants on this host, until SIGTERM')
    .addOption(brokerOption())
    .addOption(setOption())
    .addOption(observeOption('also an observer of a testbed'))
    .addOption(watchOption())
    .option('--notify <PATH>', 'program to run at each change of an alarm (needs --watch)')
    .addOption(upMetricsOption())
    .action((config: string | undefined, flags: Omit<UpArguments, 'config'>, command: Command) => {
      if (flags.notify !== undefined && !flags.watch) command.error('error: --notify needs --watch');
      return run(async (io) => (await import('./services/up.ts')).upCommand(io, { config, ...flags }));
    });

  add(
    'ready <NAME>',
    'waits for the first heartbeat of an agent, or of one of a type; "observer": until one listens into the store',
  )
    .addOption(brokerOption())
    .option('--config <FILE>', 'the configuration, for its namespace and broker')
    .addOption(setOption())
    .option('--wait <S>', 'seconds', parsePositive, 90)
    .action(calling(run, ['name'], async () => (await import('./services/ready.ts')).readyCommand));

  add(
    'request [CONFIG]',
    'asks the recorder service of a namespace ("up", "agent daq_simulator") for an execution, from any host',
  )
    .addOption(brokerOption())
    .addOption(setOption())
    .option('--speed <N>', 'simulated seconds per second', parsePositive, 1)
    .action(calling(run, ['config'], async () => (await import('./services/request.ts')).requestCommand));

  add(
    'serve-files <[HOST:]PORT>',
    'publishes the folder of data files read-only by HTTP, for agents on other hosts, until SIGTERM',
  )
    .option('--config <FILE>', 'the configuration, for its data.dir')
    .addOption(setOption())
    .option('--tls-cert <FILE>', 'speak TLS with this certificate, a PEM file (needs --tls-key)')
    .option('--tls-key <FILE>', 'the key of the certificate, a PEM file')
    .action(calling(run, ['where'], async () => (await import('./serve/serve-files.ts')).serveFilesCommand));

  addUnit(add, run);
}

function addUnit(add: Add, run: Run) {
  add('unit [CONFIG]', 'prints a service file that runs "swf-mcp up", or "swf-mcp observe", with these arguments')
    .addOption(brokerOption())
    .addOption(setOption())
    .option('--user', "for the user's own systemd (loginctl enable-linger lets it run without a login)")
    .option('--supervisor', 'for supervisord')
    .addOption(observeOption('for an observer'))
    .addOption(watchOption())
    .addOption(upMetricsOption())
    .action((config: string | undefined, flags: Omit<UnitArguments, 'config'>, command: Command) => {
      if (flags.observe !== undefined && flags.watch)
        command.error('error: a unit runs one or the other; "swf-mcp up --observe LAYOUT --watch" runs them together');
      return run(async (io) => (await import('./services/unit.ts')).unitCommand(io, { config, ...flags }));
    });
}

type ServeFlags = Omit<ServeArguments, 'open'> & { open: boolean };

/** The server, which is also started without any command. */
export function addServe(program: Command, std: Std, run: Run) {
  program
    .command('serve', { isDefault: true })
    .description('MCP server on stdio (also without a command), or over HTTP')
    .option(
      '--http <[HOST:]PORT>',
      'serve Streamable HTTP at /mcp (default host: 127.0.0.1; others need a token, and TLS or a proxy)',
    )
    .option('--open', 'show the page in your browser (needs --http)')
    .option('--read-only', 'offer no tool that changes anything, not even notes')
    .option('--allow-control', 'offer tools that start, pause, continue and stop executions')
    .option(
      '--max-runs <N>',
      'a tool starts a run only while fewer than this are under way (default: 4)',
      parsePositive,
    )
    .option(
      '--insecure-local',
      'let every user of this machine use tools that change something over HTTP, without a token',
    )
    .option('--tls-cert <FILE>', 'speak TLS with this certificate, a PEM file (needs --tls-key)')
    .option('--tls-key <FILE>', 'the key of the certificate, a PEM file')
    .option('--behind-proxy', 'a proxy in front speaks TLS and sets X-Forwarded headers')
    .allowExcessArguments()
    .action((flags: ServeFlags, command: Command) => {
      refuseUnknownCommand(program, command);
      if (flags.readOnly && flags.allowControl)
        command.error('error: --read-only and --allow-control contradict each other');
      if (!flags.allowControl) requireControl(command, flags);
      if (flags.http === undefined) requireHttp(command, flags);
      const args = { ...flags, open: flags.open ? '#/' : undefined };
      return run(async (io) => (await import('./serve/serve.ts')).serveCommand(io, args, std));
    });
}

/** Rejects options that mean nothing to a server without control. */
function requireControl(command: Command, { insecureLocal, maxRuns }: ServeFlags) {
  const given = insecureLocal ? '--insecure-local' : maxRuns === undefined ? undefined : '--max-runs';
  if (given !== undefined) command.error(`error: ${given} needs --allow-control`);
}

/** Rejects options that mean nothing on stdio: the user has forgotten `--http`. */
function requireHttp(command: Command, flags: ServeFlags) {
  const { open, insecureLocal, tlsCert, tlsKey, behindProxy } = flags;
  if (open) command.error('error: --open needs --http; or use "swf-mcp open"');
  const given = [
    insecureLocal && '--insecure-local',
    tlsCert !== undefined && '--tls-cert',
    tlsKey !== undefined && '--tls-key',
    behindProxy && '--behind-proxy',
  ].find(Boolean);
  if (given) command.error(`error: ${given} needs --http`);
}

/** Without a command the server starts, so a mistyped command arrives there as an argument. */
function refuseUnknownCommand(program: Command, serve: Command) {
  const [word] = serve.args;
  if (word === undefined) return;
  if (word === serve.name()) serve.error(`error: options stand behind the command: swf-mcp ${word} …`);
  serve.error(unknownCommand(program, word));
}
