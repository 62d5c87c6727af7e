import { Argument, Command, CommanderError } from 'commander';

import { type Action, actions } from '../domain/states.ts';
import { SwfError } from '../lib/errors.ts';
import { printableLines } from '../lib/printable.ts';
import { addObserve } from './add-observe.ts';
import { addQuestions } from './add-questions.ts';
import { addCallsOfServices, addServe, addServices } from './add-services.ts';
import { addLogbook, addUpkeep } from './add-upkeep.ts';
import { examplesOf, groupCommands, helpLayout, unknownCommand } from './help/help.ts';
import { errorInFlags, flagsOf } from './shared/flag-words.ts';
import { exitCodes, type Io, type Std } from './shared/io.ts';
import {
  type Add,
  adding,
  brokerOption,
  forTheRecord,
  jsonOption,
  notifyOption,
  parseCount,
  parsePositive,
  parseStore,
  type Run,
  senderOption,
  setOption,
  speedOption,
} from './shared/options.ts';
import { type Reporter, reportOurs } from './shared/report-error.ts';
import { addTables } from './tables/add-tables.ts';
import { commandsByTool } from './tables/catalogue.ts';

/**
 * The command line: only argv and exit codes. Commands are loaded when they are called, so that a server
 * does not load the agents, and a run does not load the server.
 */
async function createProgram({ version, std, words }: Omit<ThisProcess, 'start' | 'reporter'>, run: Run) {
  const program = new Command('swf-mcp')
    .description(
      'Run the fast processing workflow of the ePIC streaming testbed, and answer questions about it over MCP.',
    )
    .version(version, '-V, --version')
    .option('--db <file>', 'store file (default: $SWF_DB, or ~/.local/share/swf-mcp/swf.db)', parseStore)
    .configureHelp(helpLayout)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => std.stdout.write(text),
      writeErr: (text) => std.stderr.write(text),
      outputError: (text, write) =>
        write(
          printableLines(
            text.replace("argument 'EXECUTION_ID'", '$&: give latest, or an id that "swf-mcp list" shows'),
          ),
        ),
    })
    .exitOverride();
  const add = adding(program, run);
  addServe(program, std, add);
  addRuns(add);
  addServices(add);
  addCallsOfServices(add);
  addObserve(add);
  addQuestions(add);
  addLogbook(add);
  addUpkeep(add);
  addHelp(program, add);
  await addTables(add, words, run);
  groupCommands(program);
  for (const command of program.commands) {
    falseUnlessGiven(command);
    command.addHelpText('after', examplesOf(command.name()) ?? '');
  }
  return program;
}

/** Commander leaves an absent flag undefined. */
function falseUnlessGiven(command: Command) {
  for (const option of command.options)
    if (option.isBoolean()) command.setOptionValueWithSource(option.attributeName(), false, 'default');
}

/** The commands that drive an execution, or send requests to its driver. */
function addRuns(add: Add) {
  add(
    'run [CONFIG]',
    'run the workflow once, from start to end; Ctrl-C ends it for good',
    [
      [
        '--stf-count <N>',
        'STF files per physics period; 0: as many as fit in it (default: as configured; 10 in the shipped configuration)',
        parseCount,
      ],
      brokerOption(),
      speedOption('speed factor: 1 for real time (default), 20 for twenty times as fast, max for as fast as possible'),
      setOption(),
      notifyOption(),
      jsonOption(),
      senderOption(),
    ],
    async () => (await import('./drive/run.ts')).runCommand,
  );

  add(
    'resume <EXECUTION_ID>',
    'resume an execution whose process crashed, was killed or lost its terminal',
    [
      ...forTheRecord,
      brokerOption(),
      speedOption('speed factor (default: the speed it was started with)'),
      jsonOption(),
      senderOption(),
    ],
    async () => (await import('./drive/run.ts')).resumeCommand,
  );

  const does: Record<Action, string> = {
    stop: 'stop an execution cleanly, even if its process was killed',
    pause: 'pause an execution: the DAQ makes no more STFs, workers finish their current slice',
    continue: 'continue a paused execution',
  };
  for (const action of actions)
    add(`${action} <EXECUTION_ID>`, does[action], [...forTheRecord, senderOption()], async () =>
      (await import('./drive/control.ts')).controlCommand(action),
    );
}

function addHelp(program: Command, add: Add) {
  add(
    'completion',
    'print a shell script that completes commands, flags and names: eval "$(swf-mcp completion bash)"',
    [
      new Argument('<SHELL>', 'the shell; the printed script uses "words"').choices(['bash', 'zsh', 'fish', 'words']),
      new Argument('[WORDS...]', 'for "words": the line to complete'),
    ],
    async () => (await import('./help/completion.ts')).completionCommand(program),
  );

  add(
    'doctor [CONFIG]',
    'check Node.js, the store, the configuration and the broker, and print how to fix problems',
    [
      brokerOption('check this STOMP broker'),
      setOption(),
      ['--wait <S>', 'seconds to listen for other programs on the broker', parsePositive],
      ['--prove', 'test the broker by sending messages, after printing what the test may leave behind'],
      ['--unsubscribe', "remove the namespace's durable subscriptions from the broker"],
    ],
    async () => (await import('./doctor/doctor.ts')).doctorCommand,
  );

  // Commander's own `help` does not report an unknown command.
  program
    .helpCommand(false)
    .command('help [COMMAND]')
    .description('show how to use a command')
    .action((name: string | undefined, _, help: Command) => {
      const command = name === undefined ? program : program.commands.find((one) => one.name() === name);
      if (command === undefined) help.error(unknownCommand(program, String(name)));
      command.outputHelp();
    });
}

/** The parts of the process that the command line needs. */
interface ThisProcess {
  version: string;
  /** The words of the command line, after the program's name. */
  words: readonly string[];
  std: Std;
  /** The process as seen by commands, with the store that the command line names. */
  start: (db: string | undefined) => Io;
  reporter: Reporter;
}

/** Parses the command line and runs the command. Returns the exit code. */
export async function runCommandLine({ version, words, std, start, reporter }: ThisProcess) {
  let exitCode: number = exitCodes.fine;
  const run: Run = async (command) => {
    exitCode = (await command(start(program.opts<{ db?: string }>().db))) ?? exitCodes.fine;
  };
  const program = await createProgram({ version, std, words }, run);
  let called = program;
  program.hook('preAction', (_, command) => void (called = command));
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and version are not errors; every other error from the parser is about usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    // A tool's errors name its arguments, but all commands except "call" take flags.
    if (!(error instanceof SwfError) || called.name() === 'call') throw error;
    const known = { flags: flagsOf(called.options), commands: commandsByTool };
    return reportOurs(reporter, error, errorInFlags(error.code, error.message, known));
  }
}
