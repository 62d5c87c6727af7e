import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';

import { messageOf } from '../lib/errors.ts';
import { signalGroup } from '../lib/process-identity.ts';
import { NotFetched } from './file-server-error.ts';

/** Time limit of a command, in milliseconds. */
const maxMilliseconds = 1_800_000;

/** How much of its last output to show. */
const shown = 300;

const todo = 'look at data.fetch and its rights';

/**
 * Fetches a file by the site's command (`[data] fetch`), whose words have `{url}` and `{path}`. Throws `DATA_UNAVAILABLE` if it fails. `signal` ends
 * the command and everything that it started.
 * @param environment that the command inherits
 */
export async function fetchByCommand(
  command: readonly string[],
  { url, path }: { url: string; path: string },
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const words = command.map((word) => word.replaceAll('{url}', () => url).replaceAll('{path}', () => path));
  // Do not continue an earlier command's unfinished file.
  await rm(path, { force: true });
  const why = await run(words, environment, signal);
  if (why !== undefined) throw new NotFetched(url, `${words[0] ?? ''} ${why}`, todo);
}

/** Why it has failed, with its last words; undefined if it has not. */
const run = ([program = '', ...args]: string[], env: NodeJS.ProcessEnv, signal: AbortSignal) =>
  new Promise<string | undefined>((resolve) => {
    // A group of its own, so that its children end with it.
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let lastWords = '';
    child.stderr.on('data', (chunk: Buffer) => (lastWords = (lastWords + String(chunk)).slice(-shown)));
    const end = (): void => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const timer = setTimeout(end, maxMilliseconds);
    const settle = (why: string | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      const last = lastWords.trim();
      resolve(why === undefined || last === '' ? why : `${why}: ${last}`);
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    child.once('error', (error) => settle(`could not be run (${messageOf(error).slice(0, shown)})`));
    child.once('close', (code, killed) =>
      settle(code === 0 ? undefined : killed === null ? `ended with code ${code}` : `was ended by ${killed}`),
    );
  });
