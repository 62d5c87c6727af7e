import { spawn } from 'node:child_process';

import { signalGroup } from '../lib/process-identity.ts';
import type { OrphanGuard } from './host.ts';

/** A program to run, without a shell. */
interface Program {
  command: string;
  args: readonly string[];
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** Wall time. */
  limitSeconds: number;
}

/** How a program ended. `seconds` is wall time; `output` is the end of its stdout and stderr together. */
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

/** Tracks live process groups, so that a guard can end them if this process is gone. */
type GroupWatch = Pick<OrphanGuard, 'began' | 'ended'>;

/** Bytes of output to keep. The rest is read and dropped, so that a program never has to wait for us. */
const keptOutput = 4096;

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const grace = 2000;

/**
 * How long to wait for output after the program's end, in milliseconds: a process left behind may hold the
 * pipes forever.
 */
const drainTime = 250;

/** The longest delay that a Node timer supports, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/**
 * Runs a program in its own process group and returns when it has ended: on its own, after its time limit, or
 * because `signal` was aborted. All processes in the group end with it. Never throws.
 */
export async function runInGroup(program: Program, watch: GroupWatch, signal: AbortSignal): Promise<Ended> {
  const began = performance.now();
  const output = createOutputTail();
  const how = signal.aborted ? ({ kind: 'aborted' } as const) : await howItEnds({ program, watch, signal, output });
  return { how, seconds: (performance.now() - began) / 1000, output: output.text() };
}

interface Run {
  program: Program;
  watch: GroupWatch;
  signal: AbortSignal;
  output: OutputTail;
}

const howItEnds = (run: Run): Promise<Ended['how']> =>
  new Promise((resolve) => {
    const notStarted = ({ code, message }: NodeJS.ErrnoException) =>
      resolve({ kind: 'not started', reason: code ?? message });
    try {
      const child = spawnGroup(run.program);
      // Some errors are thrown; others arrive as events.
      child.once('error', (error) => {
        if (child.pid === undefined) notStarted(error);
      });
      if (child.pid !== undefined) follow(child, child.pid, run, resolve);
    } catch (error) {
      notStarted(error as NodeJS.ErrnoException);
    }
  });

function follow(child: Child, pid: number, run: Run, resolve: (how: Ended['how']) => void) {
  const { program, watch, signal, output } = run;
  let ending: Ended['how'] | undefined;
  let killer: NodeJS.Timeout | undefined;
  /** Asks the group to end, and kills it if it does not. */
  const end = (how: Ended['how']) => {
    if (ending !== undefined) return;
    ending = how;
    signalGroup(pid, 'SIGTERM');
    killer = setTimeout(() => {
      if (how.kind === 'timeout') ending = { ...how, ignoredSigterm: true };
      signalGroup(pid, 'SIGKILL');
    }, grace);
  };
  watch.began(pid);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.add(chunk));
  const limit = Math.min(program.limitSeconds * 1000, longestTimer);
  const timer = setTimeout(() => end({ kind: 'timeout', ignoredSigterm: false }), limit);
  const abort = () => end({ kind: 'aborted' });
  signal.addEventListener('abort', abort);
  child.once('exit', (code, by) => {
    clearTimeout(timer);
    clearTimeout(killer);
    signal.removeEventListener('abort', abort);
    // Kill the other processes in the program's group, which have nothing left to do.
    signalGroup(pid, 'SIGKILL');
    watch.ended(pid);
    const how = ending ?? (by === null ? { kind: 'exit', exit_code: code ?? 0 } : { kind: 'signal', signal: by });
    const drained = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, drainTime);
    child.once('close', () => {
      clearTimeout(drained);
      resolve(how);
    });
  });
}

type Child = ReturnType<typeof spawnGroup>;

const spawnGroup = ({ command, args, folder, environment }: Program) =>
  spawn(command, args, { cwd: folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });

type OutputTail = ReturnType<typeof createOutputTail>;

/** Collects a stream of bytes and keeps only its end. */
function createOutputTail() {
  let kept: Buffer[] = [];
  let length = 0;
  return {
    add(chunk: Buffer) {
      kept.push(chunk);
      length += chunk.length;
      if (length <= 2 * keptOutput) return;
      kept = [Buffer.concat(kept).subarray(-keptOutput)];
      length = keptOutput;
    },
    /** Shows invalid UTF-8, such as a cut-off beginning, as replacement characters. */
    text: () => Buffer.concat(kept).subarray(-keptOutput).toString('utf8'),
  };
}
