import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs, access } from 'node:fs/promises';
import { join } from 'node:path';

import { fileAddressOf, isBelow, isElsewhere, originOf } from '../domain/file-address.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { createCheckedFiles } from '../files/checksum.ts';
import { asDataError, type DataFiles, noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { createFetchedFiles, type FetchWays } from '../files/fetched-files.ts';
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

/** The place of an execution's file, as given in a message. */
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
   * Fetches the whole file if it is on another host. Resolves with false if that host does not have the file,
   * or has a different one than announced. Throws `DATA_UNAVAILABLE`.
   * @param over aborted when it is no longer needed
   */
  bring?: (checksum: string | undefined, over: AbortSignal) => Promise<boolean>;
}

export type Access = Reached | { obstacle: string };

export interface AccessOptions {
  /** The folder of data files on this host, and how to get files from others. */
  data: Pick<ExecutionParams['data'], 'dir' | 'url' | 'sources' | 'fetch' | 'keep_hours'>;
  /** `SWF_FILES_TOKEN` authorizes us at sources. Commands inherit it without our other secrets. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when no more work may begin: this also ends the fetch of a file for such work. */
  draining: AbortSignal;
  /** Aborted when nothing is awaited any longer. */
  stopped: AbortSignal;
}

/** The most executions whose files are kept open. */
const maxKept = 200;

/** The least free space on a disk that takes files, in bytes. */
const minRoom = 16_777_216;

export type DataAccess = ReturnType<typeof createDataAccess>;

/**
 * The data files of a recorder, seen from this host. A URL says where the writer of a file keeps it. For a
 * path, looks for the file's name in `[data] dir`, if that folder is marked as the recorder's; fetches from
 * another host's address, if it is a source. Throws `CONFIG_INVALID` for a token that no header can hold.
 */
export function createDataAccess({ data, environment, draining, stopped: signal }: AccessOptions) {
  const { dir = '', url: own } = data;
  const checked = createCheckedFiles();
  const ways = waysOf(data, environment);
  const fetched = createFetchedFiles(ways, checked);
  const kept = new Map<string, DataFiles>();
  const localFiles = ({ folder, urlOf }: WritePlace) => {
    const files = kept.get(folder) ?? createDataFiles(folder, urlOf);
    if (kept.size >= maxKept) kept.clear();
    kept.set(folder, files);
    return files;
  };
  /** Why a file is unavailable here, if that is known without trying; undefined if no obstacle is known. */
  const obstacleTo = (place: FilePlace) => obstacleIn(place, data, ways);
  return {
    checked,
    obstacleTo,
    of(place: FilePlace): Access {
      const { execution_id, filename, file_url: url } = place;
      if (url === undefined) return { files: noDataFiles, folder: undefined };
      const obstacle = obstacleTo(place);
      if (obstacle !== undefined) return { obstacle };
      const folder = join(dir, execution_id);
      const urlOf = own === undefined ? pathAddress(folder) : (name: string) => fileAddressOf(own, execution_id, name);
      const writes = { folder, urlOf };
      const local = localFiles(writes);
      if (isHere(place, data)) return { files: local, folder };
      try {
        prepareRemoteFolder(dir, execution_id);
      } catch (error) {
        return { obstacle: (asDataError(error, folder, dir) as Error).message };
      }
      const bring: Reached['bring'] = (checksum, over) => {
        const path = join(folder, filename);
        // A folder that a recorder has made belongs to it: nothing in it is replaced.
        if (existsSync(path) && !isRemoteFolder(dir, execution_id)) return checked.agrees(path, checksum);
        return fetched.bring({ url, path, checksum }, AbortSignal.any([draining, over]));
      };
      return { files: createRemoteDataFiles({ url, ways, fetched, local, signal, place: writes }), folder, bring };
    },
    /** Whether a place's files are available now that were not before. */
    async isMended(place: FilePlace) {
      if (obstacleTo(place) !== undefined) return false;
      return isHere(place, data) || isWithinReach(place, data.dir ?? '.', ways);
    },
    /** Call when an execution has ended: files fetched and made for it are removed after a while. */
    noteEnd(executionId: string) {
      // On a full disk the files are kept longer, as if the end had not been reported.
      if (data.dir !== undefined) tried(() => noteRemoteEnd(dir, executionId));
    },
    /** Removes the files of executions that were kept long enough. */
    async tidy(isRunning: (executionId: string) => boolean) {
      if (data.dir !== undefined) await removeOldRemoteFolders(dir, { hours: data.keep_hours, isRunning });
    },
  };
}

function waysOf({ sources, url, fetch: command }: AccessOptions['data'], environment: NodeJS.ProcessEnv) {
  const token = tokenIn(environment);
  return {
    sources: { prefixes: sources ?? (url === undefined ? [] : [url]), token },
    command,
    // A command of the site may need the token, but none of our other secrets.
    environment: { ...withoutSecrets(environment), SWF_FILES_TOKEN: token },
  };
}

function obstacleIn(place: FilePlace, data: AccessOptions['data'], ways: FetchWays) {
  const { file_url: url, storeId } = place;
  const { dir } = data;
  if (url === undefined) return undefined;
  if (dir === undefined) return 'the folder of data files is not known; set it with --set data.dir=FOLDER';
  if (isHere(place, data)) return whyNoFolder(dir);
  if (isElsewhere(url))
    return place.makesFiles === true && data.url === undefined ? unpublished : obstacleToSource(url, ways);
  if (storeId !== undefined && !isMarked(dir, storeId))
    return `${dir} has no files of the recorder (store ${storeId}); share its data folder with this host and name it with --set data.dir=FOLDER, or publish it: "swf-mcp serve-files" and data.url on the host that made the file`;
  return whyNoFolder(dir);
}

/** Whether files can be written here, and their source answers. */
async function isWithinReach({ file_url: url }: FilePlace, dir: string, ways: FetchWays) {
  makeFolder(dir);
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < minRoom) return false;
  return url === undefined || ways.command !== undefined || isReachable(ways.sources, url);
}

/** Whether a file is in our own folder: we publish it ourselves, or share it with the recorder. */
function isHere(
  { execution_id, filename, file_url: url, storeId }: FilePlace,
  { dir, url: own }: AccessOptions['data'],
) {
  if (url === undefined || dir === undefined) return false;
  if (!isElsewhere(url)) return storeId === undefined || isMarked(dir, storeId);
  const isOurs = own !== undefined && isBelow(url, own);
  return (isOurs || (storeId !== undefined && isMarked(dir, storeId))) && existsSync(join(dir, execution_id, filename));
}

function obstacleToSource(url: string, { sources: { prefixes }, command }: FetchWays) {
  if (!prefixes.some((prefix) => isBelow(url, prefix))) {
    const all = JSON.stringify([...prefixes, originOf(url)]);
    return `files are at ${originOf(url)}, which is not in data.sources; add it: --set 'data.sources=${all}'`;
  }
  if (command === undefined && !/^https?:/.test(url))
    return `files are at ${originOf(url)}, which needs a command: --set 'data.fetch=["xrdcp","-f","{url}","{path}"]'`;
  return undefined;
}

function tokenIn(environment: NodeJS.ProcessEnv) {
  const token = environment['SWF_FILES_TOKEN'];
  if (token === undefined || token === '') return undefined;
  if (bearerTokenPattern.test(token)) return token;
  throw configInvalid(
    'SWF_FILES_TOKEN contains a space or another character that is not allowed in a header; choose another',
  );
}

const unpublished =
  'no other host could read files made here: publish data.dir with "swf-mcp serve-files", and give its address with --set data.url=http://HOST:PORT';

/** Why a folder of data files cannot be used; undefined if it is there. */
const whyNoFolder = (dir: string) =>
  tried(() => statSync(dir).isDirectory()) === true
    ? undefined
    : `the data folder ${dir} does not exist; restore it, or name another with --set data.dir=FOLDER`;

/** How often to look for a missing file, and the pause between looks in milliseconds. */
const maxLooks = 10;
const lookMilliseconds = 500;

/**
 * Resolves when a file in a folder shared with the recorder is readable. Waits for it, since a network disk
 * may show it some seconds late. For a fetched file the fetch does this. Throws `NoSuchFile`, or `NotFetched`
 * if permissions prevent it, which waiting does not fix.
 * @param until aborting one of these ends the wait
 */
export async function seeSharedFile({ folder, bring }: Reached, place: FilePlace, until: AbortSignal[]): Promise<void> {
  const { filename, file_url = filename } = place;
  if (folder === undefined || bring !== undefined || filename === '') return;
  for (let look = 0; ; look += 1) {
    const code = await obstacleTo(join(folder, filename));
    if (code === undefined) return;
    if (code === 'EACCES' || code === 'EPERM')
      throw new NotFetched(file_url, `this user may not read it (${code})`, 'fix its permissions');
    if (code !== 'ENOENT' || look === maxLooks || until.some(({ aborted }) => aborted))
      throw new NoSuchFile(file_url, `it does not exist (${code})`, 'check whether it is the right folder');
    await pause(lookMilliseconds, until);
  }
}

/** The code of the error that a reader would get. */
const obstacleTo = (path: string) =>
  access(path, constants.R_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
