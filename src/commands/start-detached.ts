import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

import type { SelfStarted } from './io.ts';

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
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let exitCode: number | null | undefined;
  let wake = (): void => {};
  const add = (text: string): void => {
    output += text;
    wake();
  };
  child.once('error', (error) => {
    exitCode = null;
    add(error.message);
  });
  // Where no process could be made there are no pipes either.
  const streams = [child.stdout, child.stderr] as (Readable | null)[];
  for (const stream of streams) stream?.setEncoding('utf8').on('data', add);
  child.once('close', (code) => {
    exitCode = code;
    wake();
  });
  return {
    pid: child.pid,
    output: () => output,
    exitCode: () => exitCode,
    news: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    release() {
      for (const stream of streams) stream?.destroy();
      child.unref();
    },
  };
}
