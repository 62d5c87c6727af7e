import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

import { messageOf } from '../lib/errors.ts';
import { notFetched } from './file-server-error.ts';

const run = promisify(execFile);

/** A command that takes longer is ended, in milliseconds. */
const mostMilliseconds = 1_800_000;

/** As much of what it says as is told. */
const shown = 300;

/**
 * Fetches a file by a command of the site (`[data] fetch`), whose words have `{url}` and `{path}`. Throws `DATA_UNAVAILABLE` where it fails.
 * @param environment that the command inherits
 */
export async function fetchByCommand(
  command: readonly string[],
  { url, path }: { url: string; path: string },
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const [program = '', ...args] = command.map((word) =>
    word.replaceAll('{url}', () => url).replaceAll('{path}', () => path),
  );
  // A file that an earlier one left half done is not gone on with.
  await rm(path, { force: true });
  try {
    await run(program, args, { env: environment, signal, timeout: mostMilliseconds });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number | string; stderr?: string };
    const why =
      typeof code === 'number'
        ? `${program} ended with code ${code}: ${stderr.trim().slice(-shown)}`
        : `${program} could not be run (${messageOf(error).slice(0, shown)})`;
    throw notFetched(url, why, 'look at data.fetch and its rights', error);
  }
}
