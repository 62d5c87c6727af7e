import { join, resolve } from 'node:path';
import { PassThrough, type Readable, Writable } from 'node:stream';

import { onTestFinished } from 'vitest';

import packageJson from '../package.json' with { type: 'json' };
import { runCommandLine } from '../src/commands/command-line.ts';
import { type Io, storeOption, withStore } from '../src/commands/shared/io.ts';
import { reportError } from '../src/commands/shared/report-error.ts';
import { runBeside, spawnChild, startDetached } from '../src/commands/shared/start-process.ts';
import { printableLines } from '../src/lib/printable.ts';

const packageFolder = resolve(import.meta.dirname, '..');
export const cliPath = join(packageFolder, 'dist/cli.js');

export interface Surroundings {
  folder: string;
  env?: Record<string, string>;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that keeps running, in its own process or in that of the tests. */
export interface Running {
  finished: Promise<Finished>;
  /** Resolves when stdout or stderr has matched, with the first group of the pattern or all of what it fits. */
  saw(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** The output of a command so far. */
export class Written {
  stdout = '';
  stderr = '';
  readonly #looks = new Set<() => void>();

  add(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    for (const look of this.#looks) look();
  }

  /** @param ended resolves once nothing more is written @param what the command, for the error */
  saw(pattern: RegExp, ended: Promise<unknown>, what: string): Promise<string> {
    return new Promise((found, missed) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match === null) return;
        this.#looks.delete(look);
        found(match[1] ?? match[0]);
      };
      this.#looks.add(look);
      look();
      const miss = (): void => missed(new Error(`${what} ended without ${pattern}: ${this.stdout}${this.stderr}`));
      void ended.then(miss, miss);
    });
  }
}

interface Stdio {
  stdin?: Readable;
  stdout?: Writable;
}

/** Starts a command in the process of the tests. It is interrupted at the end of the test, if it still runs. */
export function startInProcess(args: readonly string[], surroundings: Surroundings, stdio?: Stdio): Running {
  const running = commandInProcess(args, surroundings, stdio);
  onTestFinished(async () => {
    running.kill('SIGTERM');
    await running.finished;
  });
  return running;
}

/**
 * A command in the process of the tests: all of it but the process, which saves 0.3 CPU-seconds each time. A command that is killed,
 * is stopped by the shell or sits at a terminal needs a process.
 */
export function commandInProcess(
  args: readonly string[],
  { folder, env = {} }: Surroundings,
  stdio: Stdio = {},
): Running {
  const written = new Written();
  const interrupts: ((signal: string) => void)[] = [];
  let early: string | undefined;
  let hasEnded = false;
  const place = {
    cwd: folder,
    env: { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'tester', ...env },
  };
  let named: string | undefined;
  const reporter = {
    err: (line: string): void =>
      written.add('stderr', `${withStore(printableLines(line), storeOption({ db: named }))}\n`),
    nodeVersion: process.versions.node,
    tellParent() {},
  };
  const start = (db: string | undefined): Io => ({
    ...reporter,
    env: place.env,
    workingFolder: folder,
    packageFolder,
    version: packageJson.version,
    db: (named = db),
    out: (text) => written.add('stdout', text),
    terminal: () => undefined,
    keepGoingWithoutOutput() {},
    staysForLong() {},
    startSelf: (words) => Promise.resolve(startDetached(process.execPath, [cliPath, ...words], place)),
    onParentEnd() {},
    self: () => [process.execPath, cliPath],
    spawnSelf: (words) => Promise.resolve(spawnChild(process.execPath, [cliPath, ...words], place)),
    runBeside: (command, words) => Promise.resolve(runBeside(command, words)),
    onKey: () => undefined,
    ask: () => undefined,
    onInterrupt(callback) {
      interrupts.push(callback);
      if (early !== undefined) callback(early);
    },
  });
  const std = {
    stdin: stdio.stdin ?? new PassThrough().end(),
    stdout: stdio.stdout ?? writer((text) => written.add('stdout', text)),
    stderr: writer((text) => written.add('stderr', text)),
  };
  const finished = runCommandLine({ version: packageJson.version, words: args, std, start, reporter })
    .catch((error: unknown) => reportError(reporter, error))
    .then((code): Finished => {
      hasEnded = true;
      return { code, signal: null, stdout: written.stdout, stderr: written.stderr };
    });
  const kill = (signal: string): void => {
    if (hasEnded) return;
    // It may come before the command listens.
    if (interrupts.length === 0) early ??= signal;
    for (const callback of interrupts) callback(signal);
  };
  return { finished, saw: (pattern) => written.saw(pattern, finished, args.join(' ')), kill };
}

const writer = (add: (text: string) => void): Writable =>
  new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _, done) {
      add(String(text));
      done();
    },
  });
