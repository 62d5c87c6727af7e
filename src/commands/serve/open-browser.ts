import { spawn } from 'node:child_process';
import { platform } from 'node:os';

import type { Io } from '../shared/io.ts';

const launchers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', win32: 'explorer' };

/** The program that shows an address to the user; undefined if there is no screen. `BROWSER` may include arguments. */
function launcherOf({ BROWSER, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string | undefined {
  if (BROWSER) return BROWSER;
  return launchers[platform()] ?? (DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined);
}

/** The launcher's words, with the address in place of `%s`, or else at the end. */
function wordsOf(launcher: string, address: string): string[] {
  const words = launcher.trim().split(/\s+/);
  return launcher.includes('%s') ? words.map((word) => word.replaceAll('%s', address)) : [...words, address];
}

/** Prints an address on a line of its own, and opens it in the user's browser if there is one. Never fails. */
export function openBrowser(io: Io, address: string): void {
  io.out(`${address}\n`);
  const launcher = launcherOf(io.env);
  if (launcher === undefined) return;
  const [program = '', ...words] = wordsOf(launcher, address);
  const child = spawn(program, words, { stdio: 'ignore', detached: true, env: io.env });
  child.on('error', ({ message }) => io.err(`${program} does not start (${message}); open the address yourself`));
  child.unref();
}
