import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { CheckedFiles } from './checked-files.ts';
import { asDataError } from './data-errors.ts';
import { fetchByCommand } from './fetch-command.ts';
import { withFetchLock } from './fetch-lock.ts';
import { NoSuchFile } from './file-server-error.ts';
import { append, extendFile } from './frame-reader.ts';
import { type FileSources, readByHttp } from './http-reader.ts';
import { asideEnding } from './write-aside.ts';

/** How files of other hosts are had. */
export interface FetchWays {
  sources: FileSources;
  /** The site's own way for every address; left out, HTTP. */
  command: readonly string[] | undefined;
  /** That a command inherits. */
  environment: NodeJS.ProcessEnv;
}

export interface FileToFetch {
  url: string;
  /** Where it is to be. Its folder is there. */
  path: string;
  /** As was announced. Without one, or of a kind that is not known here, any content will do. */
  checksum: string | undefined;
}

/** Whole files of other hosts, each fetched once a host: all slots and processes that want it share it. */
export class FetchedFiles {
  readonly #ways: FetchWays;
  readonly #checked: CheckedFiles;
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(ways: FetchWays, checked: CheckedFiles) {
    this.#ways = ways;
    this.#checked = checked;
  }

  /**
   * Resolves when the file is there: with false where its source has none, or another content than was announced. A part that was fetched before is
   * gone on with. Throws `DATA_UNAVAILABLE` where it cannot be had, or the disk is at fault.
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
      // The bytes that were there already may be of another file.
      await rm(aside, { force: true });
      await this.#get(file.url, aside, signal);
      isRight = await this.#isThere({ ...file, path: aside });
    }
    if (isRight) await rename(aside, file.path);
    else await rm(aside, { force: true });
    return isRight;
  }

  /** Returns whether a part of it was there already. */
  async #get(url: string, aside: string, signal: AbortSignal): Promise<boolean> {
    const { sources, command, environment } = this.#ways;
    if (command !== undefined) {
      await fetchByCommand(command, { url, path: aside }, environment, signal);
      return false;
    }
    const start = (await stat(aside).catch(() => undefined))?.size ?? 0;
    await extendFile(aside, async (target) => {
      for await (const chunk of readByHttp(sources, url, { start }, signal)) await append(target, chunk);
    });
    return start > 0;
  }

  #isThere({ path, checksum }: Pick<FileToFetch, 'path' | 'checksum'>): Promise<boolean> {
    return this.#checked.agrees(path, checksum);
  }
}
