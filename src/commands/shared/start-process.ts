import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { platform } from 'node:os';
import { createInterface } from 'node:readline';

import { withDeadline } from '../../lib/deadline.ts';
import { type ErrorCode, SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';

/** A message from a process to the swf-mcp that started it, over the channel that Node opens between the two. */
export type ChildMessage =
  | { event: 'started'; execution_id: string; run_number: number }
  /** Another process, named in `by`, has resumed the execution. */
  | { event: 'resumed'; by: string }
  | { event: 'done' }
  | { event: 'failed'; code: ErrorCode; sentence: string };

/** How many characters to keep from the end of a process's output: no more is ever shown. */
const keptOutput = 2000;

interface Place {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** Starts a program in its own session, so that it outlives this process and gets none of this process's signals. */
export function startDetached(command: string, args: readonly string[], { cwd, env: all }: Place) {
  // A run does not need the server's token.
  const { SWF_MCP_TOKEN: _token, ...env } = all;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  // If no process could be started, there are no pipes either.
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-keptOutput)));
  const first = firstOf(child, () => output);
  // The promise may be rejected before anything awaits it.
  first.catch(() => {});
  return {
    pid: child.pid,
    /** The program's first message; undefined if none arrives in time. Rejects like `firstOf`. */
    firstMessage: (milliseconds: number) => withDeadline(first, milliseconds, undefined),
    /** Detaches this process from the program. */
    [Symbol.dispose]() {
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (child.connected) child.disconnect();
      child.unref();
    },
  };
}

/**
 * The first message from a child. Rejects with the `SwfError` that the child reports, or with an `Error` if the
 * child ends without a message.
 */
async function firstOf(child: ChildProcess, output: () => string) {
  const message = await new Promise<ChildMessage>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', (first: ChildMessage) => resolve(first));
    child.once('close', () =>
      reject(new Error(`the process ended without reporting; its output: ${output() || 'none'}`)),
    );
  });
  if (message.event === 'failed') throw new SwfError(message.code, message.sentence);
  return message;
}

/** How long a program run by `runBeside` may take, in milliseconds. */
const besideMilliseconds = 5000;

/**
 * Starts a child whose stdin is closed when this process ends, for whatever reason: see `onParentEnd`.
 * Ctrl-C reaches the child only through this process, and only this process notifies the service manager.
 */
export function spawnChild(command: string, args: readonly string[], { cwd, env }: Place) {
  const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _interval, WATCHDOG_PID: _pid, ...rest } = env;
  const child = spawn(command, args, { cwd, env: rest, detached: true, stdio: ['pipe', 'inherit', 'pipe'] });
  child.stdin.on('error', () => {});
  const ended = new Promise<{ words: string; code: number | undefined }>((resolve) => {
    const end = (words: string, code?: number) => resolve({ words, code });
    child.once('error', ({ message }) => end(`could not be started: ${printable(message)}`));
    child.once('close', (code, signal) =>
      code === null ? end(`was killed by ${signal}`) : end(`has ended with exit code ${code}`, code),
    );
  });
  return {
    /**
     * Resolves with how the child ended, worded to follow the child's name, and with its exit code unless a
     * signal ended it.
     */
    ended,
    stop: () => void child.kill('SIGTERM'),
    /** Calls back with each line that the child writes for people. */
    onLine: (callback: (line: string) => void) => void createInterface({ input: child.stderr }).on('line', callback),
  };
}

/** Starts a small program without waiting for it. */
export function runBeside(command: string, args: readonly string[]) {
  execFile(command, [...args], { timeout: besideMilliseconds }, () => {});
}

const launchers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', win32: 'explorer' };

/**
 * The program that shows an address to the user; undefined if there is no screen. `BROWSER` may include
 * arguments, and `%s` in place of the address; without `%s`, the address comes last.
 */
function launcherOf({ BROWSER, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv) {
  if (BROWSER) return BROWSER;
  return launchers[platform()] ?? (DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined);
}

interface Browsed {
  env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(line: string): void;
}

/** Prints an address on its own line, and opens it in the user's browser if there is one. Never fails. */
export function openBrowser(io: Browsed, address: string) {
  io.out(`${address}\n`);
  const launcher = launcherOf(io.env);
  if (launcher === undefined) return;
  const template = launcher.includes('%s') ? launcher : `${launcher} %s`;
  const [program = '', ...words] = template
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('%s', () => address));
  const child = spawn(program, words, { stdio: 'ignore', detached: true, env: io.env });
  child.on('error', ({ message }) => io.err(`${program} did not start (${message}); open the address yourself`));
  child.unref();
}
