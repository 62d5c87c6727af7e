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

/** Whole files of other hosts, each fetched once per host and shared by all slots and processes that want it. */
export class FetchedFiles {
  readonly #ways: FetchWays;
  readonly #checked: CheckedFiles;
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(ways: FetchWays, checked: CheckedFiles) {
    this.#ways = ways;
    this.#checked = checked;
  }

  /**
   * Resolves when the file is there; with false if its source lacks it or has other content than announced. Continues an earlier partial fetch.
   * Throws `DATA_UNAVAILABLE` if the file is unavailable or the disk is at fault.
   */
  bring(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
    // The same file may be at another address by now.
    const key = `${file.path} ${file.url} ${file.checksum ?? ''}`;
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const bringing = this.#bring(file, signal).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, bringing);
    return bringing;
  }

  async #bring(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
    const { path } = file;
    try {
      if (await this.#isThere(file)) return true;
      return await withFetchLock(
        path,
        signal,
        async () => (await this.#isThere(file)) || (await this.#fetch(file, signal)),
      );
    } catch (error) {
      if (error instanceof NoSuchFile) return false;
      throw asDataError(error, path, dirname(path));
    }
  }

  async #fetch(file: FileToFetch, signal: AbortSignal): Promise<boolean> {
    const aside = `${file.path}.fetched${asideEnding}`;
    const wasBegun = await this.#get(file.url, aside, signal);
    let isRight = await this.#isThere({ ...file, path: aside });
    if (!isRight && wasBegun) {
      // The bytes already there may be from another file.
      await rm(aside, { force: true });
      await this.#get(file.url, aside, signal);
      isRight = await this.#isThere({ ...file, path: aside });
    }
    if (isRight) await rename(aside, file.path);
    else await rm(aside, { force: true });
    return isRight;
  }

  /** Returns whether part of the file was already there. */
  async #get(url: string, aside: string, signal: AbortSignal): Promise<boolean> {
    const { sources, command, environment } = this.#ways;
    if (command !== undefined) {
      await fetchByCommand(command, { url, path: aside }, environment, signal);
      return false;
    }
    const start = (await stat(aside).catch(() => undefined))?.size ?? 0;
    await writeFile(aside, 'a', async (target) => {
      for await (const chunk of readByHttp(sources, url, { start }, signal)) await append(target, chunk);
    });
    return start > 0;
  }

  #isThere({ path, checksum }: Pick<FileToFetch, 'path' | 'checksum'>): Promise<boolean> {
    return this.#checked.agrees(path, checksum);
  }
}
