import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { onTestFinished } from 'vitest';

/** Starts a file server that ends with the test, and waits until it accepts connections. */
export async function startServer(command: string, args: string[], port: number): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGTERM'));
  for (let left = 200; left > 0; left -= 1) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    if (await accepts(port)) return;
    await delay(50);
  }
  throw new Error(`${command} did not start within ten seconds`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Why tests with a program cannot run here, or undefined. In CI a missing one is a failure. */
export const whyMissing = (isThere: boolean, name: string, packages: string): string | undefined =>
  isThere || process.env['CI'] === 'true'
    ? undefined
    : `tests with ${name} are skipped: install the Debian packages ${packages} to enable them`;
