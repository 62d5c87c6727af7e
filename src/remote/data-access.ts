import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { fileAddressOf, isBelow, isElsewhere, originOf } from '../domain/file-address.ts';
import { CheckedFiles } from '../files/checked-files.ts';
import { asDataError } from '../files/data-errors.ts';
import { type DataFiles, noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { FetchedFiles, type FetchWays } from '../files/fetched-files.ts';
import { canRead } from '../files/http-reader.ts';
import { createRemoteDataFiles } from '../files/remote-data-files.ts';
import { prepareRemoteFolder, removeOldRemoteFolders } from '../files/remote-folder.ts';
import { isMarked } from '../files/store-marker.ts';
import { pathAddress, type WritePlace } from '../files/write-aside.ts';

/** Where a file of an execution is that a message tells of. */
export interface FilePlace {
  execution_id: string;
  filename: string;
  /** Left out, nothing was written. */
  file_url: string | undefined;
  /** The recorder's store; undefined where nobody says. */
  storeId: string | undefined;
}

export type Access =
  | {
      files: DataFiles;
      folder: string | undefined;
      /**
       * Fetches the file whole, where it is on another host. Resolves with false where its content is not what was announced. Throws
       * `DATA_UNAVAILABLE`.
       */
      bring?: (checksum: string | undefined) => Promise<boolean>;
    }
  | { obstacle: string };

export interface AccessOptions {
  /** The folder of data files on this host, and how files are had from others. */
  data: {
    dir?: string | undefined;
    url?: string | undefined;
    sources?: readonly string[] | undefined;
    fetch?: readonly string[] | undefined;
    keep_hours: number;
  };
  /** `SWF_FILES_TOKEN` proves to sources that we may have files. Commands inherit it all. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when nothing is waited for any more. */
  stopped: AbortSignal;
}

/** Executions whose files are kept open. */
const mostKept = 200;

/** A disk with less room takes no files, in bytes. */
const leastRoom = 16_777_216;

/**
 * The data files of a recorder, seen from this host (contract §9). A URL says where its writer has a file. A path is looked for by the file's name in
 * `[data] dir`, where that folder is marked as the recorder's; the address of another host is fetched from, where it is a source.
 */
export class DataAccess {
  readonly checked = new CheckedFiles();
  readonly #options: AccessOptions;
  readonly #ways: FetchWays;
  readonly #fetched: FetchedFiles;
  readonly #local = new Map<string, DataFiles>();

  constructor(options: AccessOptions) {
    const { data, environment } = options;
    this.#options = options;
    const prefixes = data.sources ?? (data.url === undefined ? [] : [data.url]);
    const token = environment['SWF_FILES_TOKEN'];
    this.#ways = {
      sources: { prefixes, token: token === '' ? undefined : token },
      command: data.fetch,
      environment,
    };
    this.#fetched = new FetchedFiles(this.#ways, this.checked);
  }

  of(place: FilePlace): Access {
    const { execution_id, filename, file_url: url, storeId } = place;
    if (url === undefined) return { files: noDataFiles, folder: undefined };
    const obstacle = this.obstacleTo(place);
    if (obstacle !== undefined) return { obstacle };
    const dir = this.#options.data.dir ?? '';
    const folder = join(dir, execution_id);
    const writes = { folder, urlOf: this.#addressOf(execution_id, folder) };
    const local = this.#localFiles(writes);
    if (this.#isHere({ execution_id, filename, file_url: url, storeId })) return { files: local, folder };
    try {
      prepareRemoteFolder(dir, execution_id);
    } catch (error) {
      return { obstacle: (asDataError(error, folder, dir) as Error).message };
    }
    const { stopped: signal } = this.#options;
    const common = { url, ways: this.#ways, fetched: this.#fetched, local, signal };
    return {
      files: createRemoteDataFiles({ ...common, place: writes }),
      folder,
      bring: (checksum) => this.#fetched.bring({ url, path: join(folder, filename), checksum }, signal),
    };
  }

  /** Why a file cannot be had here, as far as that can be known without trying; undefined where nothing is in the way. */
  obstacleTo(place: FilePlace): string | undefined {
    const { file_url: url, storeId } = place;
    const { dir } = this.#options.data;
    if (url === undefined) return undefined;
    if (dir === undefined) return 'no folder of data files is known; name it with --set data.dir=FOLDER';
    if (this.#isHere(place)) return isFolder(dir) ? undefined : noFolder(dir);
    if (isElsewhere(url)) return this.#obstacleToSource(url);
    if (storeId !== undefined && !isMarked(dir, storeId))
      return `${dir} holds no files of the recorder (store ${storeId}); share its data folder with this host and name it with --set data.dir=FOLDER, or publish it: "swf-mcp serve-files" and data.url on the recorder's host`;
    return isFolder(dir) ? undefined : noFolder(dir);
  }

  /** Whether a file can be had now that could not be had before. */
  async isMended(place: FilePlace): Promise<boolean> {
    if (this.obstacleTo(place) !== undefined) return false;
    const { dir = '.' } = this.#options.data;
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize < leastRoom) return false;
    const { file_url: url } = place;
    const isAsked = url !== undefined && isElsewhere(url) && !this.#isHere(place) && this.#ways.command === undefined;
    return isAsked ? canRead(this.#ways.sources, url) : true;
  }

  /** Removes the files of executions that have not run for longer than they are kept. */
  async tidy(isRunning: (executionId: string) => boolean): Promise<void> {
    const { dir, keep_hours: keepHours } = this.#options.data;
    if (dir !== undefined) await removeOldRemoteFolders(dir, { keepHours, isRunning });
  }

  /** Whether a file is in our own folder: we publish it ourselves, or share it with the recorder. */
  #isHere({ execution_id, filename, file_url: url, storeId }: FilePlace): boolean {
    const { dir, url: own } = this.#options.data;
    if (url === undefined || dir === undefined) return false;
    if (!isElsewhere(url)) return storeId === undefined || isMarked(dir, storeId);
    if (own !== undefined && isBelow(url, own)) return true;
    return storeId !== undefined && isMarked(dir, storeId) && existsSync(join(dir, execution_id, filename));
  }

  #obstacleToSource(url: string): string | undefined {
    const { prefixes } = this.#ways.sources;
    if (!prefixes.some((prefix) => isBelow(url, prefix))) {
      const all = JSON.stringify([...prefixes, originOf(url)]);
      return `files are at ${originOf(url)}, which is none of data.sources; add it: --set 'data.sources=${all}'`;
    }
    if (this.#ways.command === undefined && !/^https?:/.test(url))
      return `files are at ${originOf(url)}, which needs a command: --set 'data.fetch=["xrdcp","-f","{url}","{path}"]'`;
    return undefined;
  }

  #localFiles({ folder, urlOf }: WritePlace): DataFiles {
    const files = this.#local.get(folder) ?? createDataFiles(folder, urlOf);
    if (this.#local.size >= mostKept) this.#local.clear();
    this.#local.set(folder, files);
    return files;
  }

  #addressOf(executionId: string, folder: string): (filename: string) => string {
    const { url } = this.#options.data;
    return url === undefined ? pathAddress(folder) : (filename) => fileAddressOf(url, executionId, filename);
  }
}

const noFolder = (dir: string): string =>
  `the data folder ${dir} is not there; bring it back, or name another with --set data.dir=FOLDER`;

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
