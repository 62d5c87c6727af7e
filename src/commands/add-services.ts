import { Argument, type Command, Option } from 'commander';

import { separateTypes } from '../domain/states.ts';
import { layoutNames } from '../messages/destinations.ts';
import { unknownCommand } from './help/help.ts';
import type { ServeArguments } from './serve/serve.ts';
import type { Std } from './shared/io.ts';
import { type Add, brokerOption, parsePositive, setOption } from './shared/options.ts';

const upMetricsOption = [
  '--metrics <[HOST:]PORT>',
  'serve metrics for Prometheus: the first agent on this port, the others on the next ports',
] as const;

const observeOption = (what: string) =>
  new Option('--observe <LAYOUT>', `${what} with this topic layout ("none": only /topic/epictopic)`).choices([
    'none',
    ...layoutNames,
  ]);

const watchOption = [
  '--watch',
  'also raise alarms for findings that persist, as swf-mcp watch does (notifies $SWF_WEBHOOK)',
] as const;

const tlsOptions = [
  ['--tls-cert <FILE>', 'use TLS with this certificate, a PEM file (needs --tls-key)'],
  ['--tls-key <FILE>', 'use this key (a PEM file) for the certificate'],
] as const;

/** The commands that run agents as services. */
export function addServices(add: Add) {
  add(
    'agent',
    'run one agent, connected to a broker, in its own process until SIGTERM',
    [
      new Argument('<TYPE>', 'the role of the agent').choices(separateTypes),
      brokerOption(),
      ['--config <FILE>', 'read the configuration from this file'],
      setOption(),
      ['--index <N>', 'distinguish agents of the same type on one machine', parsePositive, 1],
      ['--metrics <[HOST:]PORT>', "serve the agent's metrics at /metrics, for Prometheus (default host: 127.0.0.1)"],
      new Option('--until-parent-ends').hideHelp(),
    ],
    async () => (await import('./services/agent.ts')).agentCommand,
  );

  add(
    'up [CONFIG]',
    'until SIGTERM, run all agents that the configuration assigns to this host; restart any that ends, unless a restart would not help',
    [
      brokerOption(),
      setOption(),
      observeOption('also run an observer of a testbed'),
      watchOption,
      ['--notify <PATH>', 'run this program whenever an alarm changes (needs --watch)'],
      upMetricsOption,
    ],
    async () => (await import('./services/up.ts')).upCommand,
    { needs: { '--notify': ['--watch'] } },
  );

  add(
    'unit [CONFIG]',
    'print a service file that runs "swf-mcp up" or "swf-mcp observe" with these arguments',
    [
      brokerOption(),
      setOption(),
      [
        '--user',
        'write the file for your systemd user instance (loginctl enable-linger keeps it running while you are logged out)',
      ],
      ['--supervisor', 'write the file for supervisord'],
      observeOption('instead of agents, run an observer'),
      watchOption,
      upMetricsOption,
    ],
    async () => (await import('./services/unit.ts')).unitCommand,
    { excludes: { '--observe': ['--watch'] } },
  );
}

/** The commands that communicate with services or provide one. */
export function addCallsOfServices(add: Add) {
  add(
    'ready <NAME>',
    'wait for the first heartbeat of an agent, or of any agent of the given type; "observer" waits until an observer writes to the store',
    [
      brokerOption(),
      ['--config <FILE>', 'read the namespace and broker from this configuration'],
      setOption(),
      ['--wait <S>', 'seconds to wait', parsePositive, 90],
    ],
    async () => (await import('./services/ready.ts')).readyCommand,
  );

  add(
    'request [CONFIG]',
    'from any host, ask the recorder service of a namespace ("up" or "agent daq_simulator") to start an execution',
    [
      brokerOption(),
      setOption(),
      ['--speed <N>', 'speed factor: 1 for real time, 20 for twenty times as fast', parsePositive, 1],
    ],
    async () => (await import('./services/request.ts')).requestCommand,
  );

  add(
    'serve-files <[HOST:]PORT>',
    'publish the data folder read-only over HTTP, for agents on other hosts, until SIGTERM',
    [['--config <FILE>', 'read data.dir from this configuration'], setOption(), ...tlsOptions],
    async () => (await import('./serve/serve-files.ts')).serveFilesCommand,
    { names: ['where'], needs: { '--tls-cert': ['--tls-key'], '--tls-key': ['--tls-cert'] } },
  );

  add(
    'add',
    'register this server with an assistant: print the entry and the path of its file; with --yes, write the file',
    [
      new Argument('<CLIENT>', 'the assistant').choices(['claude', 'cursor', 'vscode', 'codex']),
      new Option('--scope <SCOPE>', 'register for all your projects, or only for this folder')
        .choices(['user', 'project'])
        .default('user'),
      ['--read-only', 'offer no tools that write anything, not even notes'],
      ['--yes', 'write the file, keeping everything else in it'],
      ['--remove', 'remove the entry instead'],
    ],
    async () => (await import('./serve/add.ts')).addCommand,
  );
}

type ServeFlags = Omit<ServeArguments, 'open'> & { open: boolean };

/** The server, which also starts if no command is given. */
export function addServe(program: Command, std: Std, add: Add) {
  add(
    'serve',
    'run the MCP server on stdio (the default if no command is given) or over HTTP',
    [
      [
        '--http <[HOST:]PORT>',
        'serve Streamable HTTP at /mcp (default host: 127.0.0.1; others need a token, and TLS or a proxy)',
      ],
      ['--open', 'open the page in your browser (needs --http)'],
      ['--read-only', 'offer no tools that write anything, not even notes'],
      ['--allow-control', 'offer tools that start, pause, continue and stop executions'],
      ['--max-runs <N>', 'let tools start a run only while fewer than N are running (default: 4)', parsePositive],
      [
        '--insecure-local',
        'over HTTP, require no token, even for the tools that change something: every user of this machine may use them',
      ],
      ...tlsOptions,
      ['--behind-proxy', 'trust the proxy in front, which terminates TLS and sets X-Forwarded headers'],
    ],
    async ({ open, ...flags }: ServeFlags) => {
      const { serveCommand } = await import('./serve/serve.ts');
      return (io) => serveCommand(io, { ...flags, open: open ? '#/' : undefined }, std);
    },
    {
      isDefault: true,
      excludes: { '--read-only': ['--allow-control'] },
      needs: {
        '--max-runs': ['--allow-control'],
        '--insecure-local': ['--allow-control', '--http'],
        '--open': ['--http'],
        '--tls-cert': ['--http', '--tls-key'],
        '--tls-key': ['--http', '--tls-cert'],
        '--behind-proxy': ['--http'],
      },
    },
  )
    .allowExcessArguments()
    .hook('preAction', (serve) => refuseUnknownCommand(program, serve));
}

/** Without a command, the server starts, so a mistyped command reaches the server as an argument. */
function refuseUnknownCommand(program: Command, serve: Command) {
  const [word] = serve.args;
  if (word === undefined) return;
  if (word === serve.name()) serve.error(`error: options go after the command: swf-mcp ${word} …`);
  serve.error(unknownCommand(program, word));
}
