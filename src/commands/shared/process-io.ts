import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { printableLines } from '../../lib/printable.ts';
import { tried } from '../../lib/tried.ts';
import { exitCodes, type Io, showCursor, storeOption, type Terminal, withStore } from './io.ts';

/**
 * The working folder, which has no name if it was removed. Commands that need no folder still work, and
 * others name the file they miss.
 */
const currentFolder = () => tried(() => process.cwd()) ?? dirname(process.execPath);

/** The process itself as commands see it. @param program URL of the program's file */
export function createProcessIo({ version, db, program }: Pick<Io, 'version' | 'db'> & { program: string }): Io {
  let savingMemory: NodeJS.Immediate | undefined;
  const workingFolder = currentFolder();
  const path = fileURLToPath(program);
  return {
    env: process.env,
    workingFolder,
    // Built, the program is dist/cli.js.
    packageFolder: dirname(dirname(path)),
    version,
    nodeVersion: process.versions.node,
    db,
    out: (text) => void process.stdout.write(text),
    err: (line) => void process.stderr.write(`${withStore(printableLines(line), storeOption({ db }))}\n`),
    terminal: (stream) => terminalOf(stream === 'out' ? process.stdout : process.stderr),
    keepGoingWithoutOutput() {
      worksWithoutOutput = true;
    },
    staysForLong: () => void (savingMemory ??= setImmediate(() => void saveMemory())),
    async startSelf(args) {
      // Loaded on demand: a server on stdio starts without it.
      const { startDetached } = await import('./start-process.ts');
      return startDetached(process.execPath, [path, ...args], { cwd: workingFolder, env: process.env });
    },
    // A pipe that stays open must not keep a finished agent alive.
    onParentEnd: (callback) => void process.stdin.resume().once('end', callback).unref(),
    self: () => [process.execPath, path],
    spawnSelf: async (args) => {
      const { spawnChild } = await import('./start-process.ts');
      return spawnChild(process.execPath, [path, ...args], { cwd: workingFolder, env: process.env });
    },
    runBeside: async (command, args) => (await import('./start-process.ts')).runBeside(command, args),
    // The parent may be gone.
    tellParent: (message) => void (process.connected && process.send?.(message, undefined, {}, () => {})),
    onKey: callAtKeys,
    ask: askPerson,
    onInterrupt: callAtSignals,
  };
}

/** V8 reads these flags whenever its heap would grow: a third less memory, as fast. */
async function saveMemory() {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--optimize-for-size');
  // Young objects are then collected more often, which slows a long audit by a twentieth.
  setFlagsFromString('--semi-space-growth-factor=1');
}

function callAtSignals(callback: (signal: string) => void, last?: () => void) {
  let interrupts = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      interrupts += 1;
      if (interrupts > 1 || (signal === 'SIGHUP' && last !== undefined)) {
        last?.();
        process.exit(exitCodes.interrupted);
      }
      callback(signal);
    });
}

/** How long work that is not awaited may keep the process alive, in milliseconds. */
const lastMilliseconds = 1000;

/**
 * Ends this process if it does not end on its own. A disk that never answers holds a thread that even an exit
 * would wait for, so the last resort is SIGKILL. Waits for output that is still to be read.
 */
export function endSoon() {
  const look = () => {
    if (process.stdout.writableLength + process.stderr.writableLength > 0) endSoon();
    else process.kill(process.pid, 'SIGKILL');
  };
  setTimeout(look, lastMilliseconds).unref();
}

let worksWithoutOutput = false;

/**
 * Ends the process once its reader is gone ("swf-mcp status | head -1", a client that died); a run continues
 * without a reader.
 */
export function endWithoutReaders() {
  // Each answer that a client has not read yet waits with a listener.
  process.stdout.setMaxListeners(0);
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (worksWithoutOutput) return;
    if (code === 'EPIPE') process.exit(exitCodes.fine);
    process.stderr.write(
      `DATA_UNAVAILABLE: standard output cannot be written (${code}); free some space, or write elsewhere\n`,
    );
    process.exit(exitCodes.mendable);
  });
  process.stderr.on('error', () => {});
}

/** Undefined if dumb, which cannot move its cursor, or without a size, which shows nothing. */
function terminalOf(stream: NodeJS.WriteStream): Terminal | undefined {
  if (!stream.isTTY || process.env['TERM'] === 'dumb' || !stream.columns || !stream.rows) return undefined;
  return {
    columns: () => stream.columns,
    rows: () => stream.rows,
    colorDepth: stream.getColorDepth(),
    write(text) {
      // However this process ends, the terminal's cursor must be restored.
      if (!painted.has(stream)) giveCursorBack(stream);
      painted.add(stream);
      stream.write(text);
    },
  };
}

const painted = new Set<NodeJS.WriteStream>();

function giveCursorBack(stream: NodeJS.WriteStream) {
  process.on('exit', () => void stream.write(showCursor));
  // A handler for Ctrl-Z must itself suspend the process.
  process.on('SIGTSTP', () => {
    stream.write(showCursor);
    process.kill(process.pid, 'SIGSTOP');
  });
}

const escape = '\u001B';

/** Keys that the system would handle if they were not read one by one. */
const signals: Record<string, NodeJS.Signals> = { '\u0003': 'SIGINT', '\u001C': 'SIGQUIT', '\u001A': 'SIGTSTP' };

/** How often to check whether the process is in the foreground, in milliseconds. */
const lookMilliseconds = 500;

/**
 * Whether this process is in the foreground of its terminal. The system would stop a background process that
 * touched the terminal.
 */
const isInForeground = () =>
  tried(() => {
    // After the name, which may have spaces: state, parent, group, session, terminal, group in the
    // foreground.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  }) ?? false;

const isPerson = () => process.stdin.isTTY && process.env['TERM'] !== 'dumb' && isInForeground();

/** Calls back at each key, at once and without echo. Ctrl-C and Ctrl-Z work as always. */
function callAtKeys(callback: (key: string) => void) {
  if (!isPerson()) return undefined;
  const { stdin } = process;
  const setRaw = (isRaw: boolean) => {
    if (isInForeground()) stdin.setRawMode(isRaw);
  };
  const onData = (data: Buffer) => {
    const typed = data.toString('utf8');
    // Arrows and function keys arrive as several characters, which are not keys themselves.
    if (typed.startsWith(escape)) return;
    for (const key of typed) {
      const signal = signals[key];
      if (signal === 'SIGTSTP') leaveTerminal();
      if (signal === undefined) callback(key);
      else process.kill(process.pid, signal);
    }
  };
  // In the background the terminal belongs to another process: reading from it would stop the process.
  const leaveTerminal = () => {
    setRaw(false);
    stdin.pause();
  };
  const onContinue = () => {
    if (!isInForeground()) return;
    setRaw(true);
    stdin.resume();
  };
  // A shell reports neither that it continues this process in the background, nor that a running one is back.
  const looking = setInterval(() => {
    if (isInForeground() === !stdin.isPaused()) return;
    if (stdin.isPaused()) onContinue();
    else stdin.pause();
  }, lookMilliseconds).unref();
  const giveBack = () => setRaw(false);
  setRaw(true);
  stdin.on('data', onData);
  process.on('SIGCONT', onContinue);
  process.on('exit', giveBack);
  return () => {
    clearInterval(looking);
    stdin.off('data', onData);
    stdin.pause();
    process.off('SIGCONT', onContinue);
    process.off('exit', giveBack);
    giveBack();
  };
}

/** Asks on standard error, so that standard output stays unchanged. */
const askPerson = (question: string) => (isPerson() ? answerTo(question) : undefined);

async function answerTo(question: string) {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} y/N `)).trim());
  } catch {
    // Ctrl-C or the end of the input does not mean yes.
    return false;
  } finally {
    lines.close();
  }
}
