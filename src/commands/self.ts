import { spawn } from 'node:child_process';

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
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  child.once('error', (error) => {
    exitCode = null;
    add(error.message);
  });
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
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    },
  };
}
