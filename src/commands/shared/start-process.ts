import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { withDeadline } from '../../lib/deadline.ts';
import { SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { ChildMessage } from './child-messages.ts';
import type { SelfSpawned, SelfStarted } from './io.ts';

/** How much of the end of a process's output to keep, in characters: nobody is shown more. */
const keptOutput = 2000;

/** Starts a program in a session of its own, so that neither the end nor the signals of this process reach it. */
export function startDetached(
  program: string,
  args: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv,
): SelfStarted {
  const child = spawn(program, args, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return new DetachedProcess(child);
}

class DetachedProcess implements SelfStarted {
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  readonly #firstMessage: Promise<Exclude<ChildMessage, { event: 'failed' }>>;
  #output = '';

  constructor(child: ChildProcess) {
    this.pid = child.pid;
    this.#child = child;
    // If no process could be made, there are no pipes either.
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = `${this.#output}${text}`.slice(-keptOutput);
      });
    this.#firstMessage = this.#awaitFirst();
    // It may fail when nobody waits for it.
    this.#firstMessage.catch(() => {});
  }

  async #awaitFirst(): Promise<Exclude<ChildMessage, { event: 'failed' }>> {
    const child = this.#child;
    const first = await new Promise<unknown>((resolve, reject) => {
      child.once('error', reject);
      child.once('message', resolve);
      child.once('close', () => reject(new Error(`the process ended without a word: ${this.#output}`)));
    });
    // Loaded only here: the command line itself starts sooner without it.
    const { childMessageSchema } = await import('./child-messages.ts');
    const message = childMessageSchema.parse(first);
    if (message.event === 'failed') throw new SwfError(message.code, message.sentence);
    return message;
  }

  firstMessage(milliseconds: number): Promise<Exclude<ChildMessage, { event: 'failed' }> | undefined> {
    return withDeadline(this.#firstMessage, milliseconds, undefined);
  }

  release(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }
}

/** How long a program run by `runBeside` may take, in milliseconds. */
const besideMilliseconds = 5000;

/**
 * Starts a child whose stdin ends when this process does, however it ends: see `onParentEnd`. Ctrl-C reaches the child only through this process, and
 * only this process speaks to the service manager.
 */
export function spawnChild(
  command: string,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): SelfSpawned {
  const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _interval, WATCHDOG_PID: _pid, ...rest } = env;
  const child = spawn(command, args, { cwd, env: rest, detached: true, stdio: ['pipe', 'inherit', 'pipe'] });
  child.stdin.on('error', () => {});
  const ended: SelfSpawned['ended'] = new Promise((resolve) => {
    child.once('error', ({ message }) =>
      resolve({ words: `could not be started: ${printable(message)}`, code: undefined }),
    );
    child.once('close', (code, signal) =>
      resolve(
        code === null
          ? { words: `has ended by ${signal}`, code: undefined }
          : { words: `has ended with exit code ${code}`, code },
      ),
    );
  });
  return {
    ended,
    stop: () => void child.kill('SIGTERM'),
    onLine: (callback) => void createInterface({ input: child.stderr }).on('line', callback),
  };
}

/** Starts a small program and lets it go. */
export function runBeside(command: string, args: readonly string[]): void {
  execFile(command, [...args], { timeout: besideMilliseconds }, () => {});
}
