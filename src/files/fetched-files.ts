import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { CheckedFiles } from './checked-files.ts';
import { asDataError } from './data-errors.ts';
import { fetchByCommand } from './fetch-command.ts';
import { withFetchLock } from './fetch-lock.ts';
import { NoSuchFile } from './file-server-error.ts';
import { append, writeFile } from './frame-reader.ts';
import { type FileSources, readByHttp } from './http-reader.ts';
import { asideEnding } from './write-aside.ts';

export interface FetchWays {
  sources: FileSources;
  /** The site's command for every address; HTTP if left out. */
  command: readonly string[] | undefined;
  /** The environment that a command inherits. */
  environment: NodeJS.ProcessEnv;
}

export interface FileToFetch {
  url: string;
  /** The target path, in an existing folder. */
  path: string;
  /** As announced. Without a checksum, or with one of an unknown kind, any content will do. */
  checksum: string | undefined;
}

export type FetchedFiles = ReturnType<typeof createFetchedFiles>;

/** Whole files of other hosts, each fetched once per host and shared by all slots and processes that want it. */
export function createFetchedFiles(ways: FetchWays, checked: CheckedFiles) {
  const underWay = new Map<string, Promise<boolean>>();
  const isThere = ({ path, checksum }: FileToFetch): Promise<boolean> => checked.agrees(path, checksum);

  async function fetchWhole(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
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

  async function bringAnew(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
    const { path } = file;
    try {
      if (await isThere(file)) return true;
      const work = async (): Promise<boolean> => (await isThere(file)) || (await fetchWhole(file, signal));
      return await withFetchLock(path, signal, work);
    } catch (error) {
      if (error instanceof NoSuchFile) return false;
      throw asDataError(error, path, dirname(path));
    }
  }

  return {
    /**
     * Resolves when the file is there; with false if its source lacks it or has other content than announced. Continues an earlier partial fetch.
     * Throws `DATA_UNAVAILABLE` if the file is unavailable or the disk is at fault.
     */
    bring(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
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
  await writeFile(path, 'a', async (target) => {
    for await (const chunk of readByHttp(sources, url, { start }, signal)) await append(target, chunk);
  });
  return start > 0;
}
