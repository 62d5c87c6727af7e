import { spawn } from 'node:child_process';
import { platform } from 'node:os';

import type { Io } from './io.ts';

const launchers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', win32: 'explorer' };

/** The program that shows an address to the user; undefined where there is no screen to show it on. */
function launcherOf({ BROWSER, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string | undefined {
  if (BROWSER) return BROWSER;
  return launchers[platform()] ?? (DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined);
}

/** Says an address on a line of its own, and shows it in the user's browser where there is one. Never fails. */
export function openBrowser(io: Io, address: string): void {
  io.out(`${address}\n`);
  const program = launcherOf(io.env);
  if (program === undefined) return;
  const child = spawn(program, [address], { stdio: 'ignore', detached: true, env: io.env });
  child.on('error', ({ message }) => io.err(`${program} does not start (${message}); open the address yourself`));
  child.unref();
}
