import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { printableLines } from '../../lib/printable.ts';
import { tried } from '../../lib/tried.ts';
import { withPlainTimes } from '../../lib/words.ts';
import { exitCodes, type Io, showCursor, storeOption, type Terminal, withStore } from './io.ts';

/**
 * The working folder, or the program's folder if the working folder was removed. Commands that need no
 * folder then still work, and others name the file that they cannot find.
 */
const currentFolder = () => tried(() => process.cwd()) ?? dirname(process.execPath);

/** Writes lines for people to stderr. @param db as given with `--db` */
export const writeError = (lines: string, db: string | undefined) =>
  void process.stderr.write(`${withStore(withPlainTimes(printableLines(lines)), storeOption({ db }))}\n`);

/** This process, as commands see it. @param program URL of the program's file */
export function createProcessIo({ version, db, program }: Pick<Io, 'version' | 'db'> & { program: string }): Io {
  let savingMemory: NodeJS.Immediate | undefined;
  const workingFolder = currentFolder();
  const path = fileURLToPath(program);
  return {
    env: process.env,
    workingFolder,
    // After the build, the program is dist/cli.js.
    packageFolder: dirname(dirname(path)),
    version,
    nodeVersion: process.versions.node,
    db,
    out: (text) => void process.stdout.write(text),
    err: (line) => writeError(line, db),
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
    // An open pipe must not keep a finished agent alive.
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

/** Makes V8 use a third less memory at the same speed. V8 reads these flags whenever its heap would grow. */
async function saveMemory() {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--optimize-for-size');
  // With this flag, young objects are collected more often, which slows a long audit by 5%.
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

/** How long work that nothing awaits may keep the process alive, in milliseconds. */
const lastMilliseconds = 1000;

/**
 * Once pending output has been read, kills this process if it does not end on its own. A disk that never
 * answers blocks a thread, and even an exit would wait for that thread, so the last resort is SIGKILL.
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
  // Each answer that a client has not read yet adds a listener.
  process.stdout.setMaxListeners(0);
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (worksWithoutOutput) return;
    if (code === 'EPIPE') process.exit(exitCodes.fine);
    process.stderr.write(
      `DATA_UNAVAILABLE: cannot write to standard output (${code}); free some space, or write elsewhere\n`,
    );
    process.exit(exitCodes.mendable);
  });
  process.stderr.on('error', () => {});
}

/**
 * The terminal behind a stream. Undefined for a dumb terminal, whose cursor cannot be moved, and for a
 * terminal without a size, which shows nothing.
 */
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

/** Keys that the system would handle if the terminal were not in raw mode. */
const signals: Record<string, NodeJS.Signals> = { '\u0003': 'SIGINT', '\u001C': 'SIGQUIT', '\u001A': 'SIGTSTP' };

/** How often to check whether the process is in the foreground of its terminal, in milliseconds. */
const lookMilliseconds = 500;

/**
 * Whether this process is in the foreground of its terminal. The system would stop a background process that
 * touched the terminal.
 */
const isInForeground = () =>
  tried(() => {
    // The fields after the name, which may contain spaces: state, parent, group, session, terminal,
    // foreground group.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  }) ?? false;

const isPerson = () => process.stdin.isTTY && process.env['TERM'] !== 'dumb' && isInForeground();

/** Calls back for each key, immediately and without echo. Ctrl-C and Ctrl-Z work as always. */
function callAtKeys(callback: (key: string) => void) {
  if (!isPerson()) return undefined;
  const { stdin } = process;
  const setRaw = (isRaw: boolean) => {
    if (isInForeground()) stdin.setRawMode(isRaw);
  };
  const onData = (data: Buffer) => {
    const typed = data.toString('utf8');
    // An arrow or function key arrives as several characters, which must not be taken for keys.
    if (typed.startsWith(escape)) return;
    for (const key of typed) {
      const signal = signals[key];
      if (signal === 'SIGTSTP') leaveTerminal();
      if (signal === undefined) callback(key);
      else process.kill(process.pid, signal);
    }
  };
  // While this process is in the background, reading from the terminal would stop it.
  const leaveTerminal = () => {
    setRaw(false);
    stdin.pause();
  };
  const onContinue = () => {
    if (!isInForeground()) return;
    setRaw(true);
    stdin.resume();
  };
  // This process is not told when its shell continues it in the background or brings it back to the foreground.
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
    // Ctrl-C and the end of the input do not count as yes.
    return false;
  } finally {
    lines.close();
  }
}
