import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A program to run, without a shell. */
export interface Program {
  command: string;
  args: readonly string[];
  folder: string;
  environment: NodeJS.ProcessEnv;
  timeoutSeconds: number;
}

/** How a program ended. `seconds` is wall time; `output` is the end of what it wrote, on stdout and stderr together. */
export interface Ended {
  how:
    | { kind: 'exit'; exit_code: number }
    | { kind: 'signal'; signal: NodeJS.Signals }
    | { kind: 'timeout'; ignoredSigterm: boolean }
    | { kind: 'aborted' }
    | { kind: 'not started'; reason: string };
  seconds: number;
  output: string;
}

/** Told of each group that lives, so that somebody can end it where this process cannot. */
export interface GroupWatch {
  began(pid: number): void;
  ended(pid: number): void;
}

/** This much of the output is kept, in bytes; the rest is read and dropped, so that a program never waits for us. */
const keptOutput = 4096;

/** Between SIGTERM and SIGKILL. */
const graceMilliseconds = 2000;

/** How long output is waited for after the program's end: somebody it left behind may hold the pipes for ever. */
const drainMilliseconds = 250;

/**
 * Runs a program in a process group of its own and returns when it has ended: by itself, after its time, or because `signal`
 * was aborted. Whatever it started in its group ends with it. Never throws.
 */
export function runInGroup(program: Program, watch: GroupWatch, signal: AbortSignal): Promise<Ended> {
  const began = performance.now();
  const output = createTail(keptOutput);
  const { command, args, folder, environment, timeoutSeconds } = program;
  return new Promise((resolve) => {
    const settle = (how: Ended['how']): void =>
      resolve({ how, seconds: (performance.now() - began) / 1000, output: output.text() });
    if (signal.aborted) {
      settle({ kind: 'aborted' });
      return;
    }
    let child: ReturnType<typeof spawnGroup>;
    try {
      child = spawnGroup(command, args, folder, environment);
    } catch (error) {
      // Some reasons are thrown, and some are told by an event.
      const { code, message } = error as NodeJS.ErrnoException;
      settle({ kind: 'not started', reason: code ?? message });
      return;
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) settle({ kind: 'not started', reason: error.code ?? error.message });
    });
    const { pid } = child;
    if (pid === undefined) return;
    watch.began(pid);
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));

    let ending: Ended['how'] | undefined;
    let killer: NodeJS.Timeout | undefined;
    const end = (how: Ended['how']): void => {
      if (ending !== undefined) return;
      ending = how;
      signalGroup(pid, 'SIGTERM');
      killer = setTimeout(() => {
        if (how.kind === 'timeout') ending = { ...how, ignoredSigterm: true };
        signalGroup(pid, 'SIGKILL');
      }, graceMilliseconds);
    };
    const timer = setTimeout(
      () => end({ kind: 'timeout', ignoredSigterm: false }),
      Math.min(timeoutSeconds * 1000, 2 ** 31 - 1),
    );
    const abort = (): void => end({ kind: 'aborted' });
    signal.addEventListener('abort', abort);

    child.once('exit', (code, by) => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal.removeEventListener('abort', abort);
      // What it has started in its group has no work any more.
      signalGroup(pid, 'SIGKILL');
      watch.ended(pid);
      const how = ending ?? (by === null ? { kind: 'exit', exit_code: code ?? 0 } : { kind: 'signal', signal: by });
      const drained = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, drainMilliseconds);
      child.once('close', () => {
        clearTimeout(drained);
        settle(how);
      });
    });
  });
}

function spawnGroup(command: string, args: readonly string[], folder: string, environment: NodeJS.ProcessEnv) {
  return spawn(command, args, { cwd: folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, constants.signals[signal]);
  } catch {
    // The group has gone already.
  }
}

/** Keeps the end of a stream of bytes. */
function createTail(bytes: number) {
  let kept: Buffer[] = [];
  let length = 0;
  return {
    add(chunk: Buffer): void {
      kept.push(chunk);
      length += chunk.length;
      if (length <= 2 * bytes) return;
      kept = [Buffer.concat(kept).subarray(-bytes)];
      length = bytes;
    },
    /** Invalid UTF-8, as where the beginning was cut off, is shown as replacement characters. */
    text: (): string => Buffer.concat(kept).subarray(-bytes).toString('utf8'),
  };
}
