import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm, readFile, stat, utimes, writeFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import { pause } from '../lib/deadline.ts';
import { messageOf } from '../lib/errors.ts';
import { signalGroup, currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';
import type { CheckedFiles } from './checksum.ts';
import { asDataError } from './data-files.ts';
import { append, asideEnding, writeFile as writeByDescriptor } from './file-io.ts';
import { NotFetched, NoSuchFile, type FileSources, readByHttp } from './http-reader.ts';

/** Time limit of a command, in milliseconds. */
const maxMilliseconds = 1_800_000;

/** How much of its last output to show. */
const shown = 300;

const todo = 'check data.fetch and its permissions';

/**
 * Fetches a file by the site's command (`[data] fetch`), whose words have `{url}` and `{path}`. Throws
 * `DATA_UNAVAILABLE` if it fails. `signal` ends the command and everything that it started.
 * @param environment that the command inherits
 */
async function fetchByCommand(
  command: readonly string[],
  { url, path }: { url: string; path: string },
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
) {
  const words = command.map((word) => word.replaceAll('{url}', () => url).replaceAll('{path}', () => path));
  // Do not continue an earlier command's unfinished file.
  await rm(path, { force: true });
  const why = await run(words, environment, signal);
  if (why !== undefined) throw new NotFetched(url, `${words[0] ?? ''} ${why}`, todo);
}

/** Why it has failed, with its last words; undefined if it has not. */
const run = ([program = '', ...args]: string[], env: NodeJS.ProcessEnv, signal: AbortSignal) =>
  new Promise<string | undefined>((resolve) => {
    // Its own group, so that its children end with it.
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

/**
 * How often a holder shows that it is alive, and after how much silence a holder that cannot be checked loses
 * the lock, in milliseconds.
 */
const signMilliseconds = 60_000;
const silentMilliseconds = 300_000;

/**
 * Does `work` while no other process does the same for this path: several worker processes share their files.
 * The lock is a file beside the path that names its holder; a dead holder's lock is void. Throws the file
 * system's errors.
 */
export async function withFetchLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>) {
  const lock = `${path}.fetching`;
  const own = JSON.stringify({ ...currentProcess(), key: randomUUID() });
  while (!(await take(lock, own))) {
    signal.throwIfAborted();
    if (await isLeft(lock)) await remove(lock);
    else await pause(lookMilliseconds, [signal]);
  }
  const sign = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), signMilliseconds);
  try {
    return await work();
  } finally {
    clearInterval(sign);
    if ((await readFile(lock, 'utf8').catch(() => '')) === own) await rm(lock, { force: true });
  }
}

async function take(lock: string, own: string) {
  try {
    await writeFile(lock, own, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isLeft(lock: string) {
  try {
    const { mtimeMs } = await stat(lock);
    const alive = isAlive(JSON.parse(await readFile(lock, 'utf8')) as ProcessIdentity);
    return alive === false || (alive === undefined && Date.now() - mtimeMs > silentMilliseconds);
  } catch {
    // It is gone, or its holder is writing it.
    return false;
  }
}

/**
 * How long to wait at a time while another process removes an abandoned lock, and after how long that process
 * counts as dead. Milliseconds.
 */
const [guardMilliseconds, diedMilliseconds] = [10, 10_000];

/**
 * Lets one of many processes remove an abandoned lock, so that it removes the abandoned lock, not the next
 * holder's.
 */
async function remove(lock: string) {
  const guard = `${lock}.left`;
  if (!(await take(guard, ''))) {
    const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > diedMilliseconds) await rm(guard, { force: true });
    await pause(guardMilliseconds);
    return;
  }
  try {
    if (await isLeft(lock)) await rm(lock, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

export interface FetchWays {
  sources: FileSources;
  /** The site's command for every address; HTTP if left out. */
  command: readonly string[] | undefined;
  /** The environment that a command inherits. */
  environment: NodeJS.ProcessEnv;
}

interface FileToFetch {
  url: string;
  /** The target path, in an existing folder. */
  path: string;
  /** As announced. Without a checksum, or with one of an unknown kind, any content will do. */
  checksum: string | undefined;
}

export type FetchedFiles = ReturnType<typeof createFetchedFiles>;

/**
 * Whole files of other hosts, each fetched once per host and shared by all slots and processes that need it.
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
     * Resolves when the file is there; with false if its source lacks it or has other content than announced.
     * Continues an earlier partial fetch. Throws `DATA_UNAVAILABLE` if the file is unavailable or the disk is
     * at fault.
     */
    bring(file: FileToFetch, signal: AbortSignal) {
      // The same file may be at another address by now.
      const key = `${file.path} ${file.url} ${file.checksum ?? ''}`;
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const bringing = bringAnew(file, signal).finally(() => underWay.delete(key));
      underWay.set(key, bringing);
      return bringing;
    },
  };
}

/** Returns whether part of the file was already there. */
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
