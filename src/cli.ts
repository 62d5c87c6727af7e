#!/usr/bin/env node
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import packageJson from '../package.json' with { type: 'json' };
import { exitCodes, type Io } from './commands/io.ts';
import { showCursor, type Terminal } from './commands/live/terminal.ts';
import { startDetached } from './commands/start-detached.ts';
import type { Speed } from './domain/params.ts';
import { type Action, actions, type AgentType, agentTypes } from './domain/states.ts';
import { SwfError } from './lib/errors.ts';
import { nearest } from './lib/suggest.ts';

/**
 * The command line: argv, environment, signals and exit codes, and nothing else. Commands are loaded when they are called,
 * so that a server starts without the agents and a run without the server.
 */
function createIo(program: Command): Io {
  const workingFolder = process.cwd();
  return {
    env: process.env,
    workingFolder,
    // Built, this file is dist/cli.js.
    packageFolder: dirname(dirname(fileURLToPath(import.meta.url))),
    version: packageJson.version,
    nodeVersion: process.versions.node,
    db: program.opts<{ db?: string }>().db,
    out: (text) => void process.stdout.write(text),
    err: (line) => void process.stderr.write(`${line}\n`),
    terminal: (stream) => terminalOf(stream === 'out' ? process.stdout : process.stderr),
    keepGoingWithoutOutput() {
      drivesWithoutOutput = true;
    },
    startSelf: (args) =>
      startDetached(
        process.execPath,
        [fileURLToPath(import.meta.url), ...args],
        workingFolder,
        withoutToken(process.env),
      ),
    onInterrupt(callback) {
      let interrupts = 0;
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => {
          interrupts += 1;
          if (interrupts > 1) process.exit(exitCodes.interrupted);
          callback(signal);
        });
      }
    },
  };
}

/** A run has no business with the server's token. */
function withoutToken(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...environment };
  delete rest['SWF_MCP_TOKEN'];
  return rest;
}

let drivesWithoutOutput = false;

/** A terminal that says it is dumb cannot move its cursor; one of no size shows nothing. */
function terminalOf(stream: NodeJS.WriteStream): Terminal | undefined {
  if (!stream.isTTY || process.env['TERM'] === 'dumb' || !stream.columns || !stream.rows) return undefined;
  return {
    columns: () => stream.columns,
    rows: () => stream.rows,
    colorDepth: stream.getColorDepth(),
    write(text) {
      // However this process ends, the terminal must have its cursor again.
      if (!painted.has(stream)) giveCursorBack(stream);
      painted.add(stream);
      stream.write(text);
    },
  };
}

const painted = new Set<NodeJS.WriteStream>();

function giveCursorBack(stream: NodeJS.WriteStream): void {
  process.on('exit', () => void stream.write(showCursor));
  // Ctrl-Z: what a handler replaces has to be done by it.
  process.on('SIGTSTP', () => {
    stream.write(showCursor);
    process.kill(process.pid, 'SIGSTOP');
  });
}

function parseSpeed(text: string): Speed {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() !== '' && speed >= 0.001 && speed <= 1e6) return speed;
  throw new InvalidArgumentError('Give a number from 0.001 to 1000000 (1 is real time), or "max".');
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 0 to 999999999.');
}

/** An age in seconds. */
function parseAge(text: string): number {
  const [, amount, unit] = /^(\d{1,6})(m|h|d|w)$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('Give an age such as 90m, 12h, 30d or 8w.');
  return Number(amount) * { m: 60, h: 3600, d: 86_400, w: 604_800 }[unit as 'm' | 'h' | 'd' | 'w'];
}

const speedOption = (description: string): Option => new Option('--speed <X|max>', description).argParser(parseSpeed);
const brokerOption = (): Option =>
  new Option(
    '--broker <URL>',
    'send messages over this STOMP broker: stomp://HOST:PORT, stomp+ssl://HOST:PORT, or env (ACTIVEMQ_HOST …)',
  );
const setOption = (): Option =>
  new Option('--set <section.key=value>', 'overrides a key of the configuration; may be repeated')
    .argParser((set, before: string[]) => [...before, set])
    .default([], 'none');
const jsonOption = (): Option => new Option('--json', 'print one JSON object on stdout; all else goes to stderr');

function createProgram(run: Run): Command {
  const program = new Command('swf-mcp')
    .description(
      'Runs the fast processing workflow of the ePIC streaming testbed and answers questions about it over MCP.',
    )
    .version(packageJson.version, '--version')
    .option('--db <file>', 'the store (default: $SWF_DB, else ~/.local/share/swf-mcp/swf.db)')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .exitOverride();
  const add = (name: string, description: string): Command =>
    program.command(name).description(description).copyInheritedSettings(program);

  program
    .command('serve', { isDefault: true })
    .description('MCP server on stdio (also without a command), or over HTTP')
    .copyInheritedSettings(program)
    .option(
      '--http <[HOST:]PORT>',
      'serve Streamable HTTP at /mcp (default host: 127.0.0.1; others need SWF_MCP_TOKEN)',
    )
    .option('--read-only', 'offer no tool that changes something (this is the default)')
    .option('--allow-control', 'offer tools that start, pause, continue and stop executions')
    .allowExcessArguments()
    .action(
      async (
        { http, readOnly, allowControl }: { http?: string; readOnly?: true; allowControl?: true },
        command: Command,
      ) => {
        refuseUnknownCommand(program, command);
        if (readOnly === true && allowControl === true)
          command.error('error: --read-only and --allow-control contradict each other');
        const args = { http, allowControl: allowControl === true };
        await run(async (io) => (await import('./commands/serve.ts')).serveCommand(io, args, process.stdin));
      },
    );

  add('run [CONFIG]', 'one execution of the workflow, from start to end')
    .option('--stf-count <N>', 'STF files a physics period', parseCount)
    .addOption(brokerOption())
    .addOption(speedOption('1 is real time, 20 twenty times faster, max as fast as it goes'))
    .addOption(setOption())
    .addOption(jsonOption())
    .action(
      async (
        config: string | undefined,
        options: { broker?: string; stfCount?: number; speed?: Speed; set: string[]; json?: true },
      ) => {
        const args = {
          config,
          broker: options.broker,
          stfCount: options.stfCount,
          speed: options.speed,
          sets: options.set,
          json: options.json === true,
        };
        await run(async (io) => (await import('./commands/run.ts')).runCommand(io, args));
      },
    );

  add('resume <EXECUTION_ID>', 'goes on with an interrupted execution')
    .addOption(brokerOption())
    .addOption(speedOption('default: the speed it was started with'))
    .addOption(jsonOption())
    .action(async (executionId: string, { broker, speed, json }: { broker?: string; speed?: Speed; json?: true }) => {
      await run(async (io) =>
        (await import('./commands/resume.ts')).resumeCommand(io, { executionId, broker, speed, json: json === true }),
      );
    });

  add('agent', 'one agent as a process of its own, on a broker, until SIGTERM')
    .addArgument(new Argument('<TYPE>', 'what the agent does').choices(agentTypes))
    .addOption(brokerOption())
    .option('--config <FILE>', 'the configuration, for its namespace, broker and worker slots')
    .addOption(setOption())
    .action(async (type: AgentType, { broker, config, set }: { broker?: string; config?: string; set: string[] }) => {
      await run(async (io) =>
        (await import('./commands/agent.ts')).agentCommand(io, { type, broker, config, sets: set }),
      );
    });

  addControl(add, run);
  addQuestions(add, run);
  addUpkeep(add, run);
  addDoctor(add, run);
  return program;
}

/** The commands that look after a store. */
function addUpkeep(add: Add, run: Run): void {
  add(
    'check [EXECUTION_ID]',
    'is the store sound, do all executions balance, are their files as they were made; a line each',
  )
    .option('--skip-files', 'do not read the data files')
    .action(async (executionId: string | undefined, { skipFiles }: { skipFiles?: true }) => {
      const args = { executionId, skipFiles: skipFiles === true };
      await run(async (io) => (await import('./commands/check.ts')).checkCommand(io, args));
    });

  add('backup <FILE>', 'writes the store as it is now into a new file, also while a run goes on').action(
    async (file: string) => {
      await run(async (io) => (await import('./commands/backup.ts')).backupCommand(io, file));
    },
  );

  add('prune', 'removes executions that have ended, whole, with their data files')
    .option('--keep <N>', 'the newest N executions stay', parseCount)
    .option('--older-than <AGE>', 'only those that ended longer ago, such as 12h, 30d or 8w', parseAge)
    .option('--dry-run', 'only tell what would be removed')
    .action(async (options: { keep?: number; olderThan?: number; dryRun?: true }, command: Command) => {
      const { keep, olderThan, dryRun } = options;
      if (keep === undefined && olderThan === undefined)
        command.error('error: say what is to be removed: --keep N, --older-than AGE, or both');
      const args = { keep, olderThan, dryRun: dryRun === true };
      await run(async (io) => (await import('./commands/prune.ts')).pruneCommand(io, args));
    });
}

/** The command that looks whether all is in place. */
function addDoctor(add: Add, run: Run): void {
  add('doctor [CONFIG]', 'is everything in place: Node, store, configuration, broker; a line each, with what to do')
    .addOption(brokerOption())
    .addOption(setOption())
    .option('--unsubscribe', "remove the store's durable subscription from the broker")
    .action(async (config: string | undefined, options: { broker?: string; set: string[]; unsubscribe?: true }) => {
      const { broker, set: sets, unsubscribe } = options;
      const args = { config, broker, sets, unsubscribe: unsubscribe === true };
      await run(async (io) => (await import('./commands/doctor.ts')).doctorCommand(io, args));
    });
}

type Add = (name: string, description: string) => Command;
type Run = (command: (io: Io) => Promise<number> | number) => Promise<void>;

/** The commands that ask a running execution for something. */
function addControl(add: Add, run: Run): void {
  const does: Record<Action, string> = {
    stop: 'ends a running execution in order, also one whose process was killed',
    pause: 'pauses a running execution: no STF is made, workers finish the slice in hand',
    continue: 'lets a paused execution go on',
  };
  for (const action of actions) {
    const command = add(`${action} <EXECUTION_ID>`, does[action]);
    if (action === 'stop') command.option('--reason <TEXT>', 'why, for the record (default: who stopped it)');
    command.action(async (executionId: string, { reason }: { reason?: string }) => {
      await run(async (io) => (await import('./commands/control.ts')).controlCommand(io, action, executionId, reason));
    });
  }
}

/** The commands that only read. */
function addQuestions(add: Add, run: Run): void {
  add('status [EXECUTION_ID]', 'how an execution does (default: the last one)')
    .option('--watch', 'keep showing it until it has ended')
    .addOption(jsonOption())
    .action(async (executionId: string | undefined, { json, watch }: { json?: true; watch?: true }) => {
      const isJson = json === true;
      await run(async (io) =>
        watch === true
          ? (await import('./commands/watch.ts')).watchCommand(io, executionId, isJson)
          : (await import('./commands/status.ts')).statusCommand(io, executionId, isJson),
      );
    });

  add('config [CONFIG]', 'the effective configuration as TOML, with where each value came from')
    .addOption(setOption())
    .action(async (config: string | undefined, { set: sets }: { set: string[] }) => {
      await run(async (io) => (await import('./commands/config.ts')).configCommand(io, { config, sets }));
    });

  add('call <TOOL> [JSON]', 'one call of an MCP tool: its structured answer on stdout').action(
    async (tool: string, json: string | undefined) => {
      await run(async (io) => (await import('./commands/call.ts')).callCommand(io, tool, json));
    },
  );
}

/** Without a command the server starts, so a mistyped command arrives there as an argument. */
function refuseUnknownCommand(program: Command, serve: Command): void {
  const [word] = serve.args;
  if (word === undefined) return;
  const known = program.commands.map((command) => command.name());
  serve.error(
    `error: unknown command or argument '${word}' (the nearest command is ${nearest(word, known, 1)[0]}; swf-mcp --help lists all)`,
  );
}

async function main(): Promise<number> {
  let exitCode: number = exitCodes.fine;
  const program = createProgram(async (command) => {
    exitCode = await command(createIo(program));
  });
  try {
    await program.parseAsync();
    return exitCode;
  } catch (error) {
    // Help and version are no errors; every other complaint of the parser is about usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    if (error instanceof SwfError) {
      process.stderr.write(`${error.line}\n`);
      return exitCodes.mendable;
    }
    process.stderr.write(
      `swf-mcp has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return exitCodes.bug;
  }
}

// A reader that has gone ("swf-mcp status | head -1", a client that died) wants no more; a run goes on without one.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (!drivesWithoutOutput) process.exit(code === 'EPIPE' ? exitCodes.fine : exitCodes.mendable);
});
process.stderr.on('error', () => {});
process.exitCode = await main();
