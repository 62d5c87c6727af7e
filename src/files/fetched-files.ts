import { spawn } from 'node:child_process';
import { rm, stat, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import { pause } from '../lib/deadline.ts';
import { messageOf } from '../lib/errors.ts';
import { takeLock } from '../lib/file-system.ts';
import { signalGroup } from '../lib/process-identity.ts';
import { asDataError } from './data-files.ts';
import { append, asideEnding, type CheckedFiles, writeFile as writeByDescriptor } from './file-io.ts';
import { NotFetched, NoSuchFile, type FileSources, readByHttp } from './http-reader.ts';

/** Time limit of a command, in milliseconds. */
const maxMilliseconds = 1_800_000;

/** How many characters of a command's last output to show. */
const shown = 300;

const todo = 'check data.fetch and the permissions of its program';

/**
 * Fetches a file with the site's command (`[data] fetch`), whose words may contain `{url}` and `{path}`.
 * Throws `DATA_UNAVAILABLE` if the command fails. `signal` ends the command and everything that it started.
 * @param environment the environment that the command inherits
 */
async function fetchByCommand(
  command: readonly string[],
  { url, path }: { url: string; path: string },
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
) {
  const words = command.map((word) => word.replaceAll('{url}', () => url).replaceAll('{path}', () => path));
  // The command must not continue an earlier command's unfinished file.
  await rm(path, { force: true });
  const why = await run(words, environment, signal);
  if (why !== undefined) throw new NotFetched(url, `${words[0] ?? ''} ${why}`, todo);
}

/** Why the command failed, with the end of its output; undefined if it succeeded. */
const run = ([program = '', ...args]: string[], env: NodeJS.ProcessEnv, signal: AbortSignal) =>
  new Promise<string | undefined>((resolve) => {
    // The command gets its own process group, so that its children end with it.
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let lastWords = '';
    child.stderr.on('data', (chunk: Buffer) => (lastWords = (lastWords + String(chunk)).slice(-shown)));
    const end = () => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const timer = setTimeout(end, maxMilliseconds);
    const settle = (why: string | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      const last = lastWords.trim();
      resolve(why === undefined || last === '' ? why : `${why}: ${last}`);
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    child.once('error', (error) => settle(`could not be run (${messageOf(error).slice(0, shown)})`));
    child.once('close', (code, killed) =>
      settle(code === 0 ? undefined : killed === null ? `ended with code ${code}` : `was killed by ${killed}`),
    );
  });

/** How often to check whether another process is done, in milliseconds. */
const lookMilliseconds = 200;

/** How long a holder that cannot be checked may be silent before it loses the lock, in milliseconds. */
const silentMilliseconds = 300_000;

/**
 * Runs `work` while no other process is running it for this path: several worker processes share one folder of
 * files. Throws file system errors.
 */
export async function withFetchLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>) {
  const take = () => takeLock(`${path}.fetching`, silentMilliseconds);
  let release = await take();
  while (release === undefined) {
    signal.throwIfAborted();
    await pause(lookMilliseconds, [signal]);
    release = await take();
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

export interface FetchWays {
  sources: FileSources;
  /** The site's command for fetching from any address; if undefined, HTTP is used. */
  command: readonly string[] | undefined;
  /** The environment that a command inherits. */
  environment: NodeJS.ProcessEnv;
}

interface FileToFetch {
  url: string;
  /** The target path, in an existing folder. */
  path: string;
  /** The checksum as announced. Without one, or with one of an unknown kind, any content will do. */
  checksum: string | undefined;
}

export type FetchedFiles = ReturnType<typeof createFetchedFiles>;

/**
 * Whole files from other hosts, each fetched once per host and shared by all slots and processes that need it.
 */
export function createFetchedFiles(ways: FetchWays, checked: CheckedFiles) {
  const underWay = new Map<string, Promise<boolean>>();
  const isThere = ({ path, checksum }: FileToFetch) => checked.agrees(path, checksum);

  async function fetchWhole(file: FileToFetch, signal: AbortSignal) {
    const aside = { ...file, path: `${file.path}.fetched${asideEnding}` };
    const wasBegun = await get(ways, aside, signal);
    let isRight = await isThere(aside);
    if (!isRight && wasBegun) {
      // The bytes already there may be from another file.
      await rm(aside.path, { force: true });
      await get(ways, aside, signal);
      isRight = await isThere(aside);
    }
    if (isRight) await rename(aside.path, file.path);
    else await rm(aside.path, { force: true });
    return isRight;
  }

  async function bringAnew(file: FileToFetch, signal: AbortSignal) {
    const { path } = file;
    try {
      if (await isThere(file)) return true;
      const work = async () => (await isThere(file)) || (await fetchWhole(file, signal));
      return await withFetchLock(path, signal, work);
    } catch (error) {
      if (error instanceof NoSuchFile) return false;
      throw asDataError(error, path, dirname(path));
    }
  }

  return {
    /**
     * Resolves with true once the file is there, or with false if the source does not have the file or its
     * content differs from what was announced. Continues an earlier partial fetch. Throws `DATA_UNAVAILABLE` if
     * the file is unavailable or the disk is at fault.
     */
    bring(file: FileToFetch, signal: AbortSignal) {
      // The same file may have moved to another address.
      const key = `${file.path} ${file.url} ${file.checksum ?? ''}`;
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const bringing = bringAnew(file, signal).finally(() => underWay.delete(key));
      underWay.set(key, bringing);
      return bringing;
    },
  };
}

/** Fetches a file, and returns whether part of it was already there. */
async function get({ sources, command, environment }: FetchWays, { url, path }: FileToFetch, signal: AbortSignal) {
  if (command !== undefined) {
    await fetchByCommand(command, { url, path }, environment, signal);
    return false;
  }
  const start = (await stat(path).catch(() => undefined))?.size ?? 0;
  await writeByDescriptor(path, 'a', async (target) => {
    for await (const chunk of readByHttp(sources, url, { start }, signal)) await append(target, chunk);
  });
  return start > 0;
}
