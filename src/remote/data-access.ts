import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs, access } from 'node:fs/promises';
import { join } from 'node:path';

import { fileAddressOf, isBelow, isElsewhere, originOf } from '../domain/file-address.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { createCheckedFiles } from '../files/checksum.ts';
import { asDataError, type DataFiles, noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { createFetchedFiles, type FetchedFiles, type FetchWays } from '../files/fetched-files.ts';
import { pathAddress, type WritePlace } from '../files/file-io.ts';
import {
  isRemoteFolder,
  noteRemoteEnd,
  prepareRemoteFolder,
  removeOldRemoteFolders,
  isMarked,
} from '../files/folders.ts';
import { isReachable, NoSuchFile, NotFetched } from '../files/http-reader.ts';
import { createRemoteDataFiles } from '../files/remote-data-files.ts';
import { pause } from '../lib/deadline.ts';
import { configInvalid } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { bearerTokenPattern, withoutSecrets } from '../lib/secrets.ts';
import { tried } from '../lib/tried.ts';

/** The place of an execution's file, as a message gives it. */
export interface FilePlace {
  execution_id: string;
  filename: string;
  /** Undefined if nothing was written. */
  file_url: string | undefined;
  /** The recorder's store; undefined if unknown. */
  storeId: string | undefined;
  /** Whether files for others are made from it. */
  makesFiles?: boolean;
}

export interface Reached {
  files: DataFiles;
  folder: string | undefined;
  /**
   * Fetches the whole file if it is on another host. Resolves with false if that has none, or another than announced. Throws `DATA_UNAVAILABLE`.
   * @param over aborted when nobody needs it any longer
   */
  bring?: (checksum: string | undefined, over: AbortSignal) => Promise<boolean>;
}

export type Access = Reached | { obstacle: string };

export interface AccessOptions {
  /** The folder of data files on this host, and how to get files from others. */
  data: Pick<ExecutionParams['data'], 'dir' | 'url' | 'sources' | 'fetch' | 'keep_hours'>;
  /** `SWF_FILES_TOKEN` proves our permission to sources. Commands inherit all of it. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when no more work may begin: a fetch of a file needed for such work is cut short. */
  draining: AbortSignal;
  /** Aborted when nothing is awaited any longer. */
  stopped: AbortSignal;
}

/** The most executions whose files are kept open. */
const maxKept = 200;

/** The least free space on a disk that takes files, in bytes. */
const minRoom = 16_777_216;

/**
 * The data files of a recorder, seen from this host. A URL says where its writer has a file. For a path, looks for the file's name in `[data] dir`,
 * if that folder is marked as the recorder's; fetches from another host's address, if it is a source.
 */
export class DataAccess {
  readonly checked = createCheckedFiles();
  readonly #options: AccessOptions;
  readonly #ways: FetchWays;
  readonly #fetched: FetchedFiles;
  readonly #local = new Map<string, DataFiles>();

  /** Throws `CONFIG_INVALID` for a token that no header can hold. */
  constructor(options: AccessOptions) {
    const { data, environment } = options;
    this.#options = options;
    const prefixes = data.sources ?? (data.url === undefined ? [] : [data.url]);
    const token = tokenIn(environment);
    this.#ways = {
      sources: { prefixes, token },
      command: data.fetch,
      // A command of the site may need the token, but none of our other secrets.
      environment: { ...withoutSecrets(environment), SWF_FILES_TOKEN: token },
    };
    this.#fetched = createFetchedFiles(this.#ways, this.checked);
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
    const { stopped: signal, draining } = this.#options;
    const common = { url, ways: this.#ways, fetched: this.#fetched, local, signal };
    return {
      files: createRemoteDataFiles({ ...common, place: writes }),
      folder,
      bring: (checksum, over) => this.#bring({ place, url, checksum }, AbortSignal.any([draining, over])),
    };
  }

  /** Why a file is unavailable here, as far as known without trying; undefined if nothing is in the way. */
  obstacleTo(place: FilePlace): string | undefined {
    const { file_url: url, storeId } = place;
    const { dir } = this.#options.data;
    if (url === undefined) return undefined;
    if (dir === undefined) return 'no folder of data files is known; name it with --set data.dir=FOLDER';
    if (this.#isHere(place)) return whyNoFolder(dir);
    if (isElsewhere(url))
      return place.makesFiles === true && this.#options.data.url === undefined
        ? unpublished
        : this.#obstacleToSource(url);
    if (storeId !== undefined && !isMarked(dir, storeId))
      return `${dir} holds no files of the recorder (store ${storeId}); share its data folder with this host and name it with --set data.dir=FOLDER, or publish it: "swf-mcp serve-files" and data.url on the host that made the file`;
    return whyNoFolder(dir);
  }

  /** Whether a place's files are available now that were not before. */
  async isMended(place: FilePlace): Promise<boolean> {
    if (this.obstacleTo(place) !== undefined) return false;
    const { dir = '.' } = this.#options.data;
    if (this.#isHere(place)) return true;
    makeFolder(dir);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize < minRoom) return false;
    const { file_url: url } = place;
    return url === undefined || this.#ways.command !== undefined || isReachable(this.#ways.sources, url);
  }

  /** Call when an execution has ended: files fetched and made for it are removed after a while. */
  noteEnd(executionId: string): void {
    const { dir } = this.#options.data;
    // On a full disk the files are kept longer, as if nobody had heard of the end.
    if (dir !== undefined) tried(() => noteRemoteEnd(dir, executionId));
  }

  /** Removes the files of executions that were kept long enough. */
  async tidy(isRunning: (executionId: string) => boolean): Promise<void> {
    const { dir, keep_hours: hours } = this.#options.data;
    if (dir !== undefined) await removeOldRemoteFolders(dir, { hours, isRunning });
  }

  #bring({ place, url, checksum }: { place: FilePlace; url: string; checksum: string | undefined }, over: AbortSignal) {
    const dir = this.#options.data.dir ?? '';
    const path = join(dir, place.execution_id, place.filename);
    // A folder that a recorder has made is its own: nothing in it is replaced.
    if (existsSync(path) && !isRemoteFolder(dir, place.execution_id)) return this.checked.agrees(path, checksum);
    return this.#fetched.bring({ url, path, checksum }, over);
  }

  /** Whether a file is in our own folder: we publish it ourselves, or share it with the recorder. */
  #isHere({ execution_id, filename, file_url: url, storeId }: FilePlace): boolean {
    const { dir, url: own } = this.#options.data;
    if (url === undefined || dir === undefined) return false;
    if (!isElsewhere(url)) return storeId === undefined || isMarked(dir, storeId);
    const isOurs = own !== undefined && isBelow(url, own);
    return (
      (isOurs || (storeId !== undefined && isMarked(dir, storeId))) && existsSync(join(dir, execution_id, filename))
    );
  }

  #obstacleToSource(url: string): string | undefined {
    const { prefixes } = this.#ways.sources;
    if (!prefixes.some((prefix) => isBelow(url, prefix))) {
      const all = JSON.stringify([...prefixes, originOf(url)]);
      return `files are at ${originOf(url)}, which is not in data.sources; add it: --set 'data.sources=${all}'`;
    }
    if (this.#ways.command === undefined && !/^https?:/.test(url))
      return `files are at ${originOf(url)}, which needs a command: --set 'data.fetch=["xrdcp","-f","{url}","{path}"]'`;
    return undefined;
  }

  #localFiles({ folder, urlOf }: WritePlace): DataFiles {
    const files = this.#local.get(folder) ?? createDataFiles(folder, urlOf);
    if (this.#local.size >= maxKept) this.#local.clear();
    this.#local.set(folder, files);
    return files;
  }

  #addressOf(executionId: string, folder: string): (filename: string) => string {
    const { url } = this.#options.data;
    return url === undefined ? pathAddress(folder) : (filename) => fileAddressOf(url, executionId, filename);
  }
}

function tokenIn(environment: NodeJS.ProcessEnv): string | undefined {
  const token = environment['SWF_FILES_TOKEN'];
  if (token === undefined || token === '') return undefined;
  if (bearerTokenPattern.test(token)) return token;
  throw configInvalid('SWF_FILES_TOKEN holds a blank or another character that no header can hold; choose another');
}

const unpublished =
  'files that are made here could be read by nobody: publish data.dir with "swf-mcp serve-files", and say where with --set data.url=http://HOST:PORT';

/** Why a folder of data files cannot be used; undefined if it is there. */
const whyNoFolder = (dir: string) =>
  tried(() => statSync(dir).isDirectory()) === true
    ? undefined
    : `the data folder ${dir} is not there; bring it back, or name another with --set data.dir=FOLDER`;

/** How often to look for a missing file, and the pause between looks in milliseconds. */
const maxLooks = 10;
const lookMilliseconds = 500;

/**
 * Resolves when a file in a folder shared with the recorder is readable. Waits for it, since a network disk may show it some seconds late. For a
 * fetched file the fetch does this. Throws `NoSuchFile`, or `NotFetched` if permissions are in the way, which waiting does not fix.
 * @param until aborting one of these ends the wait
 */
export async function seeSharedFile({ folder, bring }: Reached, place: FilePlace, until: AbortSignal[]): Promise<void> {
  const { filename, file_url = filename } = place;
  if (folder === undefined || bring !== undefined || filename === '') return;
  for (let look = 0; ; look += 1) {
    const code = await obstacleTo(join(folder, filename));
    if (code === undefined) return;
    if (code === 'EACCES' || code === 'EPERM')
      throw new NotFetched(file_url, `this user may not read it (${code})`, 'fix its rights');
    if (code !== 'ENOENT' || look === maxLooks || until.some(({ aborted }) => aborted))
      throw new NoSuchFile(file_url, `it is not there (${code})`, 'check whether it is the right folder');
    await pause(lookMilliseconds, until);
  }
}

/** The code of the error that a reader would get. */
const obstacleTo = (path: string): Promise<string | undefined> =>
  access(path, constants.R_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
